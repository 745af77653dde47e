// Package listen opens the listeners of Millrace's own servers, plain or with TLS. Certificates are read again when
// their files change; a client that does not finish its handshake is let go and holds up nobody; and a process that has
// run out of file descriptors waits for one instead of giving up to listen.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// Config says where to listen, and for whom.
type Config struct {
	Address string // HOST:PORT
	TLS     TLS
	// MaxConnections is how many may be open at the same time; one more is closed at once. 0 leaves it to the server,
	// which can answer why.
	MaxConnections int
}

// Open listens. With TLS, Accept returns connections whose handshake is done, as *tls.Conn; they speak HTTP/1.1.
func Open(ctx context.Context, config Config, logger *slog.Logger) (net.Listener, error) {
	var certificates *certificates
	if config.TLS.IsOn() {
		var err error
		if certificates, err = newCertificates(config.TLS, logger.With("address", config.Address)); err != nil {
			return nil, err
		}
	}
	inner, err := new(net.ListenConfig).Listen(ctx, "tcp", config.Address)
	if err != nil {
		return nil, err
	}
	plain := &patient{
		Listener: inner, closed: make(chan struct{}), report: rate.Sometimes{Interval: reportEvery},
		logger: logger.With("address", inner.Addr().String()), limit: config.MaxConnections,
	}
	if certificates == nil {
		return plain, nil
	}
	return newSecured(plain, certificates), nil
}

// reportEvery is how often the same trouble with clients is logged at most.
const reportEvery = 10 * time.Second

// shortagePause is how long to wait for file descriptors or memory that somebody else may give back.
const shortagePause = 50 * time.Millisecond

// patient is a listener that survives a shortage. Servers take any error of Accept for the end, and a client that opens
// connections could end the process.
type patient struct {
	net.Listener
	closed chan struct{}
	once   sync.Once // closes closed
	logger *slog.Logger
	report rate.Sometimes
	limit  int

	mu   sync.Mutex // guards open
	open int        // connections, where there is a limit
}

// Accept implements net.Listener.
func (p *patient) Accept() (net.Conn, error) {
	for {
		conn, err := p.Listener.Accept()
		switch {
		case err == nil && p.limit == 0:
			return conn, nil
		case err == nil:
			if counted, fits := p.count(conn); fits {
				return counted, nil
			}
			_ = conn.Close()
			p.report.Do(func() { p.logger.Warn("a connection was closed: as many as may be are open", "limit", p.limit) })
		case isShortage(err):
			p.report.Do(func() { p.logger.Error("no connection can be taken at the moment", "error", err) })
			p.pause()
		default:
			return nil, err
		}
	}
}

// isShortage tells what passes: of the process, of the machine, or of a client that has gone before it was taken.
func isShortage(err error) bool {
	for _, passing := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

func (p *patient) pause() {
	timer := time.NewTimer(shortagePause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closed:
	}
}

// Close implements net.Listener.
func (p *patient) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Listener.Close()
}

func (p *patient) count(conn net.Conn) (net.Conn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open >= p.limit {
		return nil, false
	}
	p.open++
	return &counted{Conn: conn, gone: p.uncount}, true
}

func (p *patient) uncount() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
}

// counted is a connection of a listener with a limit.
type counted struct {
	net.Conn
	once sync.Once
	gone func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.once.Do(c.gone)
	return c.Conn.Close()
}

// Reachable returns the URL under which this machine reaches a listener.
func (c Config) Reachable() string {
	return fmt.Sprintf("%s://%s", c.TLS.Scheme(), thisMachine(c.Address))
}

// thisMachine turns an address to listen on into one to connect to from this machine.
func thisMachine(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return address
	}
	return net.JoinHostPort("127.0.0.1", port)
}
