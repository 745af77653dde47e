package chdb

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// awaitPing returns when a child answers. A request made before the child
// listens waits in the socket's queue, so it takes one attempt per child.
func (s *Server) awaitPing(ctx context.Context) error {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return s.DialContext(ctx, addr) },
	}
	defer transport.CloseIdleConnections()
	for {
		attempt, cancel := s.untilDone(ctx)
		err := pingOnce(attempt, transport)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-s.Done():
			return s.Err()
		case <-ctx.Done():
			return fmt.Errorf("waiting for its first answer: %w", context.Cause(ctx))
		case <-time.After(restartDelay):
		}
	}
}

// untilDone is ctx that also ends when the server gives up.
func (s *Server) untilDone(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func pingOnce(ctx context.Context, transport http.RoundTripper) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://clickhouse/ping", nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err == nil && res.StatusCode != http.StatusOK {
		return fmt.Errorf("ping answered %s", res.Status)
	}
	return err
}
