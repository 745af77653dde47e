package rig_test

import (
	"net"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestFreeAddressesAreDifferentAndCanBeListenedOn asks for so many that some would be there twice, were they not kept.
func TestFreeAddressesAreDifferentAndCanBeListenedOn(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		address := rig.FreeAddr(t)
		if seen[address] {
			t.Fatalf("%s was given away before", address)
		}
		seen[address] = true
	}
	for range 3 { // a process that is started again listens again
		for address := range seen {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
