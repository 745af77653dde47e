package listen_test

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/rig"
)

// scripted is a listener that fails with each of its errors in turn.
type scripted struct {
	net.Listener
	errors []error
}

func (s *scripted) Accept() (net.Conn, error) {
	if len(s.errors) == 0 {
		return nil, net.ErrClosed
	}
	next := s.errors[0]
	s.errors = s.errors[1:]
	if next == nil {
		conn, _ := net.Pipe()
		return conn, nil
	}
	return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", next)}
}

func TestShortageOfFileDescriptorsEndsNoListener(t *testing.T) {
	logged := &rig.Buffer{}
	listener := listen.Patient(&scripted{errors: []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, nil}}, slog.New(slog.NewTextHandler(logged, nil)))
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if got := strings.Count(logged.String(), "too many open files"); got != 1 {
		t.Errorf("it was said %d times: %s", got, logged)
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v from a closed listener", err)
	}
}
