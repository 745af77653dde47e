package openloop

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Closed is a closed loop: each connection posts its next event as soon as the one before is answered. It tells how much a
// server takes, and nothing about how long others would have waited meanwhile: times count from when an event was sent.
type Closed struct {
	Address     string // host:port
	Path        string
	Connections int
	WarmUp      time.Duration // what is posted first and not counted
	Length      time.Duration // of what is counted
	Body        func(n int, buffer []byte) []byte
}

// Post posts until the time is over and each event has its answer, or ctx ends.
func (c Closed) Post(ctx context.Context) (Paced, error) {
	if c.Connections < 1 || c.Length <= 0 {
		return Paced{}, fmt.Errorf("%s of posting over %d connections is none", c.Length, c.Connections)
	}
	posting := closing{Closed: c, tally: newTally(time.Now().Add(c.WarmUp))}
	err := overConnections(ctx, c.Address, c.Path, c.Connections, posting.work)
	return posting.paced, err
}

type closing struct {
	Closed
	tally
	next atomic.Int64
}

func (c *closing) work(ctx context.Context, connection *connection) error {
	end := c.paced.Began.Add(c.Length)
	for sent := time.Now(); sent.Before(end); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		status := connection.post(int(c.next.Add(1))-1, c.Body)
		now := time.Now()
		if !sent.Before(c.paced.Began) {
			c.count(status, sent, now)
		}
		sent = now
	}
	return nil
}
