package chdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// maxSocketPath is what fits a unix socket's address (108 bytes) with its NUL.
const maxSocketPath = 107

// orphanLifetime bounds how long the child of a killed process still holds the
// address; it ends within half a second of its parent.
const orphanLifetime = 2 * time.Second

// listeners belong to the parent, so that a connection made while the child is
// down waits in the queue for the next child instead of being refused.
type listeners struct {
	socketPath string
	tempDir    string // removed on close; empty where SocketDir served
	socket     *net.UnixListener
	http       *net.TCPListener // nil where there is no read-only interface
}

func listen(ctx context.Context, socketDir, httpAddr string) (*listeners, error) {
	l := &listeners{}
	if err := l.listenSocket(socketDir); err != nil {
		return nil, errors.Join(err, l.close())
	}
	if httpAddr == "" {
		return l, nil
	}
	if err := l.listenHTTP(ctx, httpAddr); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *listeners) listenSocket(dir string) error {
	name := "clickhouse-" + rand.Text()[:8] + ".sock"
	if dir == "" || len(filepath.Join(dir, name)) > maxSocketPath {
		temp, err := os.MkdirTemp("", "millrace-")
		if err != nil {
			return fmt.Errorf("making a directory for the ClickHouse socket: %w", err)
		}
		l.tempDir, dir = temp, temp
	}
	if err := privateDir(dir); err != nil {
		return fmt.Errorf("making the ClickHouse socket's directory private: %w", err)
	}
	removeStale(dir)
	l.socketPath = filepath.Join(dir, name)
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: l.socketPath, Net: "unix"})
	if err != nil {
		return fmt.Errorf("listening on the ClickHouse socket %s: %w", l.socketPath, err)
	}
	l.socket = socket
	return nil
}

// privateDir is the socket's only protection: whoever reaches it may do anything.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// removeStale removes sockets that a killed process left behind: those that
// nobody listens on. Failing to is harmless, every start has a name of its own.
func removeStale(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, "clickhouse-*.sock"))
	for _, path := range paths {
		conn, err := net.Dial("unix", path)
		if err != nil {
			_ = os.Remove(path)
			continue
		}
		_ = conn.Close()
	}
}

func (l *listeners) listenHTTP(ctx context.Context, addr string) error {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return fmt.Errorf("the read-only ClickHouse address %q: %w", addr, err)
	}
	if !resolved.IP.IsLoopback() {
		return fmt.Errorf("the read-only ClickHouse address %q is not a loopback one; it has no authentication", addr)
	}
	l.http, err = backoff.Retry(ctx, func() (*net.TCPListener, error) {
		listener, err := net.ListenTCP("tcp", resolved)
		if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
			return nil, backoff.Permanent(err)
		}
		return listener, err
	}, backoff.WithBackOff(backoff.NewConstantBackOff(50*time.Millisecond)), backoff.WithMaxElapsedTime(orphanLifetime))
	if err != nil {
		return fmt.Errorf("listening for the read-only ClickHouse interface (choose another address, or none): %w", err)
	}
	return nil
}

func (l *listeners) httpAddr() string {
	if l.http == nil {
		return ""
	}
	return l.http.Addr().String()
}

// files are copies of the listeners for a child; the caller closes them.
func (l *listeners) files() (socket, http *os.File, err error) {
	if socket, err = l.socket.File(); err != nil {
		return nil, nil, err
	}
	if l.http == nil {
		return socket, nil, nil
	}
	if http, err = l.http.File(); err != nil {
		return nil, nil, errors.Join(err, socket.Close())
	}
	return socket, http, nil
}

// close closes what is open and removes the socket's temporary directory.
func (l *listeners) close() error {
	var failures []error
	if l.socket != nil {
		failures = append(failures, l.socket.Close())
	}
	if l.http != nil {
		failures = append(failures, l.http.Close())
	}
	if l.tempDir != "" {
		failures = append(failures, os.RemoveAll(l.tempDir))
	}
	return errors.Join(failures...)
}
