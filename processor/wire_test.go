package processor_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// processorClient is the client ID of processors, by which the wire tells them from the test.
const processorClient = "processor"

// wire is the network between clients and a broker, on the broker's side. It can lose what a processor asks, or what it
// is answered after the broker has acted, together with the connection.
type wire struct {
	mu   sync.Mutex // guards the fields below
	key  kmsg.Key   // the requests that are lost
	mode loss
	left int
	lost chan struct{} // closed when none is left
}

type loss string

const (
	requestIsLost loss = "request is lost"
	answerIsLost  loss = "answer is lost"
)

// lose cuts the connection at the next so many requests of a kind, and returns a function that waits until it has.
func (w *wire) lose(key kmsg.Key, mode loss, times int) (wait func(context.Context) error) {
	lost := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.key, w.mode, w.left, w.lost = key, mode, times, lost
	return func(ctx context.Context) error {
		select {
		case <-lost:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// meets reports what becomes of a request.
func (w *wire) meets(frame []byte) (loss, bool) {
	key, client := requestHeader(frame)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == 0 || key != w.key || !strings.HasPrefix(client, processorClient) {
		return "", false
	}
	if w.left--; w.left == 0 {
		close(w.lost)
	}
	return w.mode, true
}

// requestHeader reads the kind of a request and the client ID from its header.
func requestHeader(frame []byte) (kmsg.Key, string) {
	const sizeKeyVersionCorrelation = 4 + 2 + 2 + 4
	if len(frame) < sizeKeyVersionCorrelation+2 {
		return -1, ""
	}
	key := kmsg.Key(int16(binary.BigEndian.Uint16(frame[4:])))
	client := frame[sizeKeyVersionCorrelation:]
	length := int(int16(binary.BigEndian.Uint16(client)))
	if length < 0 || len(client) < 2+length {
		return key, ""
	}
	return key, string(client[2 : 2+length])
}

// listen is a kfake.ListenFn.
func (w *wire) listen(network, address string) (net.Listener, error) {
	listener, err := net.Listen(network, address)
	return wiredListener{listener, w}, err
}

type wiredListener struct {
	net.Listener
	wire *wire
}

func (l wiredListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wiredConn{Conn: conn, wire: l.wire}, nil
}

// wiredConn reads request by request. kfake answers them one by one, so that the next write answers the last read.
type wiredConn struct {
	net.Conn
	wire    *wire
	arrived []byte // of a request, not read yet

	mu     sync.Mutex
	isMute bool // guarded by mu: the answer is lost
}

func (c *wiredConn) Read(into []byte) (int, error) {
	if len(c.arrived) == 0 {
		if err := c.readRequest(); err != nil {
			return 0, err
		}
	}
	n := copy(into, c.arrived)
	c.arrived = c.arrived[n:]
	return n, nil
}

func (c *wiredConn) readRequest() error {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(c.Conn, frame); err != nil {
		return err
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
	if _, err := io.ReadFull(c.Conn, frame[4:]); err != nil {
		return err
	}
	c.arrived = frame
	mode, lost := c.wire.meets(frame)
	if !lost {
		return nil
	}
	if mode == requestIsLost {
		return errors.Join(io.EOF, c.Close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isMute = true
	return nil
}

func (c *wiredConn) Write(answer []byte) (int, error) {
	c.mu.Lock()
	isMute := c.isMute
	c.mu.Unlock()
	if isMute {
		return 0, errors.Join(net.ErrClosed, c.Close())
	}
	return c.Conn.Write(answer)
}
