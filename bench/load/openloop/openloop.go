// Package openloop posts events when they are due, whatever became of those before: over many connections, each event once, and
// its time counts from when it was due, so that a server that stalls cannot hide it by holding the sender up. Beside it stands
// the closed loop, which tells how much a server takes. It is apart from package load so that the binary has no histograms in it.
package openloop

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Pace is an open loop: each event has a time at which it is due, whatever became of those before it.
type Pace struct {
	Address     string // host:port
	Path        string
	Rate        float64 // events per second
	Connections int     // requests in flight at most; an event that finds none free goes late, and its time counts from when it was due
	WarmUp      int     // events that are posted first and not counted
	Events      int     // events that are counted
	// Body writes the n-th event into a buffer that it may grow; warm-up and counted events are numbered alike, from 0. It
	// is called from several goroutines.
	Body func(n int, buffer []byte) []byte
}

// Paced says what became of the events that counted. No event is posted twice.
type Paced struct {
	Answers map[int]int             // by status code; 0 when there was none
	Latency *hdrhistogram.Histogram // microseconds from when an event was due to its answer
	Began   time.Time               // when the first event that counted was due
	Last    time.Time               // when the last answer came
}

// Reached returns the events answered in a second, from the first that was due to the last answer.
func (p Paced) Reached() float64 {
	return float64(p.Latency.TotalCount()) / p.Last.Sub(p.Began).Seconds()
}

// NewHistogram counts microseconds up to two minutes, to three digits.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (2 * time.Minute).Microseconds(), 3)
}

// Record adds a time; one beyond what the histogram holds counts as the longest it does.
func Record(h *hdrhistogram.Histogram, took time.Duration) {
	_ = h.RecordValue(min(max(took.Microseconds(), 1), h.HighestTrackableValue())) // it fails only beyond
}

// Post posts all events from began on and returns when each has its answer, or ctx ends.
func (p Pace) Post(ctx context.Context, began time.Time) (Paced, error) {
	if p.Rate <= 0 || p.Connections < 1 {
		return Paced{}, fmt.Errorf("a pace of %g events/s over %d connections is none", p.Rate, p.Connections)
	}
	posting := pacing{Pace: p, began: began, tally: newTally(Due(began, p.WarmUp, p.Rate))}
	err := overConnections(ctx, p.Address, p.Path, p.Connections, posting.work)
	return posting.paced, err
}

// Due returns when the n-th event is due, at a rate of events per second that begins with the event 0.
func Due(began time.Time, n int, rate float64) time.Time {
	return began.Add(time.Duration(math.Round(float64(n) / rate * float64(time.Second))))
}

type pacing struct {
	Pace
	tally
	began time.Time
	next  atomic.Int64
}

// work takes the next event that nobody has taken, waits until it is due and posts it, until there is none left.
func (p *pacing) work(ctx context.Context, c *connection) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n := int(p.next.Add(1)) - 1
		if n >= p.WarmUp+p.Events {
			return nil
		}
		due := Due(p.began, n, p.Rate)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		status := c.post(n, p.Body)
		if n >= p.WarmUp {
			p.count(status, due, time.Now())
		}
	}
}
