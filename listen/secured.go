package listen

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// handshakeTimeout is how long a client has for its handshake; two round trips are enough.
	handshakeTimeout = 5 * time.Second
	// maxHandshakes is how many are under way at once. For one more the oldest is given up: a client that means it is done
	// within a moment, so the oldest is one that only holds the place.
	maxHandshakes = 1024
)

// secured is a listener that makes handshakes aside, so that no client waits for another one's.
type secured struct {
	*patient
	certificates *certificates
	config       *tls.Config
	ready        chan net.Conn
	ended        chan error // the last error of accept
	ctx          context.Context
	stop         context.CancelFunc
	goroutines   sync.WaitGroup

	mu      sync.Mutex // guards waiting
	waiting *list.List // of context.CancelFunc, one for each handshake, oldest first

	failed atomic.Int64
	report rate.Sometimes
}

func newSecured(plain *patient, certificates *certificates) *secured {
	s := &secured{
		patient: plain, certificates: certificates, ready: make(chan net.Conn), ended: make(chan error, 1),
		waiting: list.New(), report: rate.Sometimes{Interval: reportEvery},
	}
	s.config = &tls.Config{GetConfigForClient: certificates.config, MinVersion: tls.VersionTLS12}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.goroutines.Go(s.accept)
	return s
}

// Accept implements net.Listener.
func (s *secured) Accept() (net.Conn, error) {
	select {
	case conn := <-s.ready:
		return conn, nil
	case err := <-s.ended:
		s.ended <- err // for whoever asks next
		return nil, err
	}
}

// Close implements net.Listener. Handshakes under way are given up.
func (s *secured) Close() error {
	err := s.patient.Close()
	s.stop()
	s.goroutines.Wait()
	return err
}

func (s *secured) accept() {
	for {
		conn, err := s.patient.Accept()
		if err != nil {
			s.ended <- err
			return
		}
		ctx, leave := s.enter()
		s.goroutines.Go(func() {
			defer leave()
			s.handshake(ctx, conn)
		})
	}
}

// enter makes room for a handshake. Its context ends when the room is needed.
func (s *secured) enter() (ctx context.Context, leave func()) {
	ctx, cancel := context.WithTimeout(s.ctx, handshakeTimeout)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting.Len() >= maxHandshakes {
		s.waiting.Remove(s.waiting.Front()).(context.CancelFunc)()
	}
	place := s.waiting.PushBack(cancel)
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting.Remove(place) // does nothing when it was given up
	}
}

func (s *secured) handshake(ctx context.Context, conn net.Conn) {
	encrypted := tls.Server(conn, s.config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		s.tell(err)
		return
	}
	select {
	case s.ready <- encrypted:
	case <-s.ctx.Done():
		_ = conn.Close()
	}
}

// tell says now and then that clients fail: they may know another certificate. A mere knock at the port is none.
func (s *secured) tell(err error) {
	if errors.Is(err, io.EOF) || s.ctx.Err() != nil {
		return
	}
	s.failed.Add(1)
	s.report.Do(func() { s.logger.Warn("TLS handshakes failed", "count", s.failed.Swap(0), "last", err) })
}
