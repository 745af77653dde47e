// Package chdb runs a ClickHouse of our own: the engine as a shared library
// (libchdb, loaded without cgo) in a child process of this same binary, which
// serves ClickHouse's HTTP interface on a unix socket and, for curl and
// dashboards, a read-only one on a loopback port. The parent owns the listeners
// and restarts the child, so clients of a crashed engine wait rather than fail.
// It is for one machine and for development: one node, no replication, no users.
package chdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// Sizes in bytes. The engine's own defaults, 0.9 of the machine's memory and
// 5 GB of mark cache, are those of a machine that does nothing else.
const (
	DefaultMaxServerMemoryUsage = 1_500_000_000
	DefaultMarkCacheSize        = 128 << 20
)

// Options say where the engine, its data and its listeners are.
type Options struct {
	// LibPath is the library's file; Locate finds or fetches it.
	LibPath string
	// Path is the data directory. One process at a time may use it.
	Path string
	// SocketDir holds the unix socket and is made private (0700). Empty, or too
	// long for a socket's address, means a new temporary directory.
	SocketDir string
	// HTTPAddr is the loopback address of the read-only interface, such as
	// 127.0.0.1:8123; port 0 picks a free one, empty means none.
	HTTPAddr string
	// MaxServerMemoryUsage bounds the engine's memory in bytes: statements over
	// it fail with code 241. 0 means DefaultMaxServerMemoryUsage.
	MaxServerMemoryUsage int64
	// MarkCacheSize is in bytes; 0 means DefaultMarkCacheSize.
	MarkCacheSize int64
	// ChildCommand are the arguments that make this executable call RunChild.
	ChildCommand []string
	// Logger hears about restarts.
	Logger *slog.Logger
}

// Server is a running embedded ClickHouse.
type Server struct {
	listeners  *listeners
	supervisor *supervisor
	stop       context.CancelFunc
	close      sync.Once
}

// Start starts the engine and returns when it answers. ctx bounds only the
// start: call Close to end the server. The error of a start that failed holds
// what the child said; errors.Is(err, ErrLocked) means that another process
// has the data directory open.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Path, 0o700); err != nil {
		return nil, fmt.Errorf("making the ClickHouse data directory: %w", err)
	}
	listeners, err := listen(ctx, o.SocketDir, o.HTTPAddr)
	if err != nil {
		return nil, err
	}
	supervisor, err := newSupervisor(o, listeners)
	if err != nil {
		return nil, errors.Join(err, listeners.close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Server{listeners: listeners, supervisor: supervisor, stop: stop}
	go s.supervise(running)
	if err := s.awaitPing(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("starting the embedded ClickHouse: %w", err)
	}
	return s, nil
}

// check lists every wrong option at once and fills in the defaults.
func (o *Options) check() error {
	var wrong []error
	if !filepath.IsAbs(o.LibPath) {
		wrong = append(wrong, fmt.Errorf("option LibPath %q is not absolute: ask Locate", o.LibPath))
	}
	if o.Logger == nil {
		wrong = append(wrong, errors.New("option Logger is nil"))
	}
	if !filepath.IsAbs(o.Path) {
		wrong = append(wrong, fmt.Errorf("option Path %q is not absolute", o.Path))
	}
	if o.MaxServerMemoryUsage == 0 {
		o.MaxServerMemoryUsage = DefaultMaxServerMemoryUsage
	}
	if o.MarkCacheSize == 0 {
		o.MarkCacheSize = DefaultMarkCacheSize
	}
	if len(wrong) > 0 {
		return fmt.Errorf("options of the embedded ClickHouse: %w", errors.Join(wrong...))
	}
	return nil
}

// supervise runs the child until the server is closed or gives up. Only then do
// the listeners close, so that clients fail at once instead of waiting for ever.
func (s *Server) supervise(ctx context.Context) {
	defer close(s.supervisor.done)
	s.supervisor.err = s.supervisor.run(ctx)
	if err := s.listeners.close(); err != nil {
		s.supervisor.logger.Warn("closing the embedded ClickHouse's listeners", "error", err)
	}
}

// DialContext connects to the full interface, whatever address it is given. It
// fits clickhouse-go's Options.DialContext, with Protocol HTTP and no
// Compression; while the child restarts, the connection waits for it.
func (s *Server) DialContext(ctx context.Context, _ string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", s.listeners.socketPath)
	if err == nil {
		return conn, nil
	}
	select {
	case <-s.Done():
		return nil, errors.Join(errors.New("the embedded ClickHouse is not running"), s.Err())
	default:
		return nil, err
	}
}

// HTTPAddr is the read-only interface's address with its actual port, or empty.
func (s *Server) HTTPAddr() string { return s.listeners.httpAddr() }

// Done is closed when the server has ended: by Close, or because the engine
// crashed too often, which Err then tells.
func (s *Server) Done() <-chan struct{} { return s.supervisor.done }

// Err is why the server gave up: nil while it runs and after an ordinary Close.
func (s *Server) Err() error {
	select {
	case <-s.supervisor.done:
		return s.supervisor.err
	default:
		return nil
	}
}

// Close stops the child and waits for it. Running statements get a second to
// finish; a child that then still lives is killed with its process group.
func (s *Server) Close() {
	s.close.Do(s.stop)
	<-s.supervisor.done
}
