package api

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// isGone reports whether the client has closed the connection of a request that is being answered. The server reads
// nothing then, and so would not notice before it writes; this looks at what came without taking it.
func isGone(conn net.Conn) bool {
	asFile, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := asFile.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(descriptor uintptr) {
		var next [1]byte
		n, _, err := unix.Recvfrom(int(descriptor), next[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		isQuiet := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
		gone = n <= 0 && !isQuiet
	})
	return gone || err != nil
}
