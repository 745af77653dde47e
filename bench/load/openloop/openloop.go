// Package openloop posts events when they are due, whatever became of those before: over many connections, each event once, and
// its time counts from when it was due, so that a server that stalls cannot hide it by holding the sender up. Times are
// kept in histograms. It is apart from package load so that the binary, which sends with that, has no histograms in it.
package openloop

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
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

// answerTime is how long an answer may take before it counts as none.
const answerTime = 30 * time.Second

// Post posts all events from began on and returns when each has its answer, or ctx ends.
func (p Pace) Post(ctx context.Context, began time.Time) (Paced, error) {
	if p.Rate <= 0 || p.Connections < 1 {
		return Paced{}, fmt.Errorf("a pace of %g events/s over %d connections is none", p.Rate, p.Connections)
	}
	posting := pacing{
		Pace: p, began: began,
		client: &fasthttp.HostClient{Addr: p.Address, MaxConns: p.Connections, ReadTimeout: answerTime, RetryIf: never},
		paced:  Paced{Answers: map[int]int{}, Latency: NewHistogram(), Began: Due(began, p.WarmUp, p.Rate)},
	}
	defer posting.client.CloseIdleConnections()
	group, ctx := errgroup.WithContext(ctx)
	for range p.Connections {
		group.Go(func() error { return posting.work(ctx) })
	}
	err := group.Wait()
	return posting.paced, err
}

// never leaves each event at one request: what is posted again is a repeat that the schedule does not know of.
func never(*fasthttp.Request) bool { return false }

// Due returns when the n-th event is due, at a rate of events per second that begins with the event 0.
func Due(began time.Time, n int, rate float64) time.Time {
	return began.Add(time.Duration(math.Round(float64(n) / rate * float64(time.Second))))
}

type pacing struct {
	Pace
	began  time.Time
	client *fasthttp.HostClient
	next   atomic.Int64

	mu    sync.Mutex // guards paced
	paced Paced
}

// work takes the next event that nobody has taken, waits until it is due and posts it, until there is none left.
func (p *pacing) work(ctx context.Context) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI("http://" + p.Address + p.Path)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	timer := time.NewTimer(0)
	defer timer.Stop()
	var body []byte
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
		body = p.Body(n, body[:0])
		request.SetBodyRaw(body)
		status := 0
		if err := p.client.Do(request, response); err == nil {
			status = response.StatusCode()
		}
		if n >= p.WarmUp {
			p.count(status, due)
		}
	}
}

func (p *pacing) count(status int, due time.Time) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paced.Answers[status]++
	Record(p.paced.Latency, now.Sub(due))
	p.paced.Last = now
}
