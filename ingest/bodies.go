package ingest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// The server reads a body as a whole before it asks anybody. Connections are many, so that large bodies have to share a
// room: one that finds none is answered 503 before it is read. Small ones, as almost all events are, need not ask.
const (
	bodiesBytes    = 32 << 20 // that large bodies may have together, from their header until they wait for Kafka
	smallBodyBytes = 16 << 10
)

// noRoomPath is where a request is sent whose body finds no room. What it was posted to is not looked at.
const noRoomPath = "/no-room"

// bodies counts the room that large bodies have.
type bodies struct {
	limit   int           // of an event
	longest time.Duration // that a body is read

	count atomic.Int32 // of held
	mu    sync.Mutex   // guards what follows; count is written with it
	used  int
	held  map[*fasthttp.RequestHeader]hold
}

// hold is the room of one body. A client that goes away while its body is read leaves it behind until it is overdue.
type hold struct {
	bytes int
	until time.Time // when the body is read or given up; zero once it is read
}

func newBodies(limit int, longest time.Duration) *bodies {
	return &bodies{limit: limit, longest: longest, held: map[*fasthttp.RequestHeader]hold{}}
}

// bound makes a server ask for room before it reads a large body.
func (b *bodies) bound(server *fasthttp.Server) {
	next := server.HeaderReceived
	server.HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		config := next(header)
		size := header.ContentLength()
		isChunked := size == -1
		if isChunked {
			size, config.MaxRequestBodySize = b.limit, b.limit
		}
		// Above twice the limit nothing is read anyway.
		if size > smallBodyBytes && size <= 2*b.limit && !b.take(header, size) {
			header.SetContentLength(0)
			header.SetRequestURI(noRoomPath)
		}
		return config
	}
}

// take returns whether there is room.
func (b *bodies) take(header *fasthttp.RequestHeader, bytes int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.drop(header) // of a request before it
	if b.used+bytes > bodiesBytes {
		b.dropOverdue(now)
	}
	if b.used+bytes > bodiesBytes {
		return false
	}
	b.used += bytes
	b.held[header] = hold{bytes, now.Add(b.longest)}
	b.count.Store(int32(len(b.held)))
	return true
}

func (b *bodies) dropOverdue(now time.Time) {
	for header, hold := range b.held {
		if !hold.until.IsZero() && now.After(hold.until) {
			b.drop(header)
		}
	}
}

func (b *bodies) drop(header *fasthttp.RequestHeader) {
	b.used -= b.held[header].bytes
	delete(b.held, header)
	b.count.Store(int32(len(b.held)))
}

// keep says that the body is read, and has its room until release.
func (b *bodies) keep(header *fasthttp.RequestHeader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if hold, found := b.held[header]; found {
		hold.until = time.Time{}
		b.held[header] = hold
	}
}

// release gives back the room of a body, which nobody looks at any more.
func (b *bodies) release(request *fasthttp.Request) {
	if b.count.Load() == 0 {
		return
	}
	b.mu.Lock()
	_, found := b.held[&request.Header]
	b.drop(&request.Header)
	b.mu.Unlock()
	if found {
		request.SwapBody(nil) // the server would keep its buffer for as long as the connection is open
	}
}

// own returns a body for as long as it is wanted. A small one is copied, because the server reads the next one into the
// same buffer; a large one is taken out of its buffer and gives its room back: from then on it counts among those that
// wait for Kafka.
func (b *bodies) own(request *fasthttp.Request, body []byte) []byte {
	if len(body) <= smallBodyBytes {
		body = bytes.Clone(body)
	} else {
		request.SwapBody(nil)
	}
	b.release(request)
	return body
}

// handle is what a request goes through whose body is read.
func (b *bodies) handle(c *fiber.Ctx) error {
	if b.count.Load() == 0 {
		return c.Next()
	}
	b.keep(&c.Request().Header)
	defer b.release(c.Request())
	return c.Next()
}

// lingerTime is how long a client that is refused may go on sending. Closing before would lose the answer with it.
const lingerTime = 2 * time.Second

// refuseNoRoom answers a request whose body was not read, lets what the client still sends of it go, and closes the
// connection: none of that is a further request.
func (i *Ingest) refuseNoRoom(c *fiber.Ctx) error {
	i.metrics.shed[tooMany].Inc()
	if err := i.answer(c, explain(unavailable("too many large events are being received; send it again"))); err != nil {
		return err
	}
	c.Response().Header.SetConnectionClose()
	answer, most := []byte(c.Response().String()), int64(2*i.config.MaxEventBytes)
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) {
		if err := conn.SetDeadline(time.Now().Add(lingerTime)); err != nil {
			return // it is closed
		}
		if _, err := conn.Write(answer); err == nil {
			_, _ = io.CopyN(io.Discard, conn, most) // until the client has sent it all, or goes, or the time is over
		}
	})
	return nil
}
