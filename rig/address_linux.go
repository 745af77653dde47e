package rig

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// reserve puts a socket in a listener's place that is bound and does not listen. Linux lets one more be bound beside it and
// listen, where both ask for that, as those of Go do; but whoever asks for any free port, or connects from one, is given
// another.
func reserve(t testing.TB, listener net.Listener) error {
	t.Helper()
	port := listener.Addr().(*net.TCPAddr).Port
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("making a socket: %w", err)
	}
	t.Cleanup(func() { _ = unix.Close(socket) })
	return errors.Join(
		unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		listener.Close(),
		unix.Bind(socket, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}),
	)
}
