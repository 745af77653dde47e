package eventlog_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	enginerig "github.com/millrace/millrace/rig/engine"
)

// stoppable is an engine of a test's own that can be away, and that other processes reach.
type stoppable struct {
	*engine
	wasStopped bool

	mu sync.Mutex // guards engine.Server
}

func newStoppable(t *testing.T) *stoppable {
	t.Helper()
	started, err := enginerig.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &stoppable{engine: &engine{started}}
	t.Cleanup(func() { s.Close() })
	return s
}

// stopFor stops the engine and starts it again on its data.
func (s *stoppable) stopFor(t *testing.T, length time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wasStopped = true
	s.Close()
	pause(t, length)
	again, err := enginerig.Start(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = again.Server
}

func (s *stoppable) dial(ctx context.Context, addr string) (net.Conn, error) {
	if !s.mu.TryLock() {
		return nil, errors.New("the engine is away")
	}
	server := s.Server
	s.mu.Unlock()
	return server.DialContext(ctx, addr)
}

// listen lets other processes reach the engine at the address that it returns.
func (s *stoppable) listen(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.pass(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return listener.Addr().String()
}

// pass copies between a connection and the engine until one of them ends.
func (s *stoppable) pass(conn net.Conn) {
	defer conn.Close()
	engine, err := s.dial(context.Background(), "")
	if err != nil {
		return
	}
	defer engine.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, engine)
		_ = conn.Close()
	})
	_, _ = io.Copy(engine, conn)
	_ = engine.Close()
	back.Wait()
}
