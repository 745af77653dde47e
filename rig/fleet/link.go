package fleet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Dial opens a connection to what lies behind a link. The address may be ignored.
type Dial func(ctx context.Context, address string) (net.Conn, error)

// Link is a TCP port with something behind it that can be cut off, or made slow.
type Link struct {
	listener net.Listener

	mu    sync.Mutex // guards all below
	dial  Dial
	isCut bool
	delay time.Duration
	conns map[net.Conn]struct{}
}

// NewLink opens a link for the length of the test.
func NewLink(t testing.TB, dial Dial) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return LinkOn(t, listener, dial)
}

// LinkOn opens a link on a listener, which it closes at the end of the test.
func LinkOn(t testing.TB, listener net.Listener, dial Dial) *Link {
	t.Helper()
	l := &Link{listener: listener, dial: dial, conns: map[net.Conn]struct{}{}}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		l.Cut()
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			group.Go(func() { l.serve(ctx, conn) })
		}
	})
	return l
}

// Addr returns host and port.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Cut ends all connections, and each new one at once, until Restore.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// Break ends the connections that there are, once.
func (l *Link) Break() {
	l.Cut()
	l.Restore()
}

// Restore lets connections through again.
func (l *Link) Restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

// Redirect lets new connections lead to somewhere else.
func (l *Link) Redirect(dial Dial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dial = dial
}

// SetDelay makes what is sent arrive so much later, in both directions.
func (l *Link) SetDelay(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = delay
}

func (l *Link) serve(ctx context.Context, near net.Conn) {
	l.mu.Lock()
	dial := l.dial
	l.mu.Unlock()
	far, err := dial(ctx, "")
	if err != nil {
		_ = near.Close() // who asks sees a connection that ends
		return
	}
	closeBoth := func() { _, _ = near.Close(), far.Close() }
	if err := l.note(near, far); err != nil {
		closeBoth()
		return
	}
	defer l.forget(near, far)
	var group sync.WaitGroup
	group.Go(func() { l.pass(far, near); closeBoth() })
	group.Go(func() { l.pass(near, far); closeBoth() })
	group.Wait()
}

func (l *Link) note(conns ...net.Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		return errors.New("the link is cut")
	}
	for _, conn := range conns {
		l.conns[conn] = struct{}{}
	}
	return nil
}

func (l *Link) forget(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		delete(l.conns, conn)
	}
}

// chunk is what was read at once, and when it is to arrive.
type chunk struct {
	bytes []byte
	due   time.Time
}

// pass copies until either end closes. What is under way is bounded: the reader waits where the writer is behind.
func (l *Link) pass(to io.Writer, from io.Reader) {
	under := make(chan chunk, 256)
	var group sync.WaitGroup
	defer group.Wait()
	defer close(under)
	group.Go(func() {
		var failed error
		for c := range under { // to the end, so that the reader never waits for a writer that is gone
			<-time.After(time.Until(c.due))
			if failed == nil {
				_, failed = to.Write(c.bytes)
			}
		}
	})
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			l.mu.Lock()
			due := time.Now().Add(l.delay)
			l.mu.Unlock()
			under <- chunk{buffer[:n], due}
		}
		if err != nil {
			return
		}
	}
}
