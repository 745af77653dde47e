package rig

import (
	"net"
	"testing"
)

// FreeAddr returns a loopback address for a process that the test starts. Nobody listens on it, and where the system can
// do that, nobody else is given it for the length of the test.
func FreeAddr(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := reserve(t, listener); err != nil {
		t.Fatalf("reserving %s: %v", address, err)
	}
	return address
}
