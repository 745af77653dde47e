package openloop

import (
	"context"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
)

// answerTime is how long an answer may take before it counts as none.
const answerTime = 30 * time.Second

// never leaves each event at one request: what is posted again is a repeat that the schedule does not know of.
func never(*fasthttp.Request) bool { return false }

// connection is one of a sender's. The client is as cheap as there is one, because it shares the machine with what it measures.
type connection struct {
	client   *fasthttp.HostClient
	request  *fasthttp.Request
	response *fasthttp.Response
	body     []byte
}

// overConnections has each of several connections do the work.
func overConnections(ctx context.Context, address, path string, count int, work func(context.Context, *connection) error) error {
	client := &fasthttp.HostClient{Addr: address, MaxConns: count, ReadTimeout: answerTime, RetryIf: never}
	defer client.CloseIdleConnections()
	group, ctx := errgroup.WithContext(ctx)
	for range count {
		group.Go(func() error {
			c := &connection{client: client, request: fasthttp.AcquireRequest(), response: fasthttp.AcquireResponse()}
			defer fasthttp.ReleaseRequest(c.request)
			defer fasthttp.ReleaseResponse(c.response)
			c.request.SetRequestURI("http://" + address + path)
			c.request.Header.SetMethod(fasthttp.MethodPost)
			c.request.Header.SetContentType("application/json")
			return work(ctx, c)
		})
	}
	return group.Wait()
}

// post posts the n-th event and returns the status it was answered with, 0 when it was not.
func (c *connection) post(n int, body func(n int, buffer []byte) []byte) int {
	c.body = body(n, c.body[:0])
	c.request.SetBodyRaw(c.body)
	if err := c.client.Do(c.request, c.response); err != nil {
		return 0
	}
	return c.response.StatusCode()
}

// tally counts answers.
type tally struct {
	mu    sync.Mutex // guards paced
	paced Paced
}

func newTally(began time.Time) tally {
	return tally{paced: Paced{Answers: map[int]int{}, Latency: NewHistogram(), Began: began}}
}

// count notes an answer that came now to an event whose time counts from then.
func (t *tally) count(status int, from, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paced.Answers[status]++
	Record(t.paced.Latency, now.Sub(from))
	t.paced.Last = now
}
