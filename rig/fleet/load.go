package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Senders says how events are posted.
type Senders struct {
	To          []string // URLs of ingest, in turn
	PerSecond   float64  // events
	Duplicates  float64  // share that repeats an earlier event's message ID
	Connections int      // requests at a time at most; 64
	Seed        uint64
	Padding     int // bytes that each event has more
}

// post is an event to be posted.
type post struct {
	number int64
	body   []byte
}

// Load is senders at work. An event that is not answered 204 is posted again with the same bytes, as senders do.
type Load struct {
	fleet   *Fleet
	senders Senders
	client  *http.Client
	cancel  context.CancelFunc
	group   sync.WaitGroup

	posted, refused, unanswered atomic.Int64

	mu        sync.Mutex      // guards latencies
	latencies []time.Duration // of requests that were answered 204
}

// StartLoad begins to post until Stop.
func (f *Fleet) StartLoad(senders Senders) *Load {
	f.t.Helper()
	if senders.Connections == 0 {
		senders.Connections = 64
	}
	transport := &http.Transport{MaxIdleConnsPerHost: senders.Connections}
	l := &Load{fleet: f, senders: senders, client: &http.Client{Timeout: 15 * time.Second, Transport: transport}}
	ctx, cancel := context.WithCancel(f.t.Context())
	l.cancel = cancel
	f.t.Cleanup(func() { l.Stop() })
	random := rand.New(rand.NewPCG(senders.Seed, 0))
	work := make(chan post)
	l.group.Go(func() {
		defer close(work)
		pace := rate.NewLimiter(rate.Limit(senders.PerSecond), max(1, int(senders.PerSecond/20)))
		for number := int64(0); pace.Wait(ctx) == nil; number++ {
			message := number
			if number > 0 && random.Float64() < senders.Duplicates {
				message = random.Int64N(number)
			}
			work <- post{number, l.body(number, message)}
		}
	})
	for range senders.Connections {
		l.group.Go(func() {
			for p := range work {
				l.deliver(ctx, p)
			}
		})
	}
	return l
}

func (l *Load) body(number, message int64) []byte {
	padding, options := bytes.Repeat([]byte("x"), l.senders.Padding), l.fleet.options
	person := "userId"
	if options.Anonymous != nil && options.Anonymous(number) {
		person = "anonymousId"
	}
	return fmt.Appendf(nil, `{"type":"track","event":"Order","%s":"u%d","messageId":"m%d","properties":{"n":%d,"chosen":%t,"padding":"%s"}}`,
		person, message%500, message, number, options.EventNumber(number), padding)
}

// deliver posts an event until it is taken, or the load ends: then nobody promised anything.
func (l *Load) deliver(ctx context.Context, p post) {
	l.posted.Add(1)
	for try := 0; ; try++ {
		url := l.senders.To[(int(p.number)+try)%len(l.senders.To)] + l.fleet.path(p.number)
		started := time.Now()
		switch l.post(url, p.body) {
		case http.StatusNoContent:
			l.fleet.Ledger.Acknowledge(p.number)
			l.mu.Lock()
			l.latencies = append(l.latencies, time.Since(started))
			l.mu.Unlock()
			return
		case 0:
			l.unanswered.Add(1)
		default:
			l.refused.Add(1)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(time.Second, 20*time.Millisecond<<min(try, 6))): // as a sender's back-off does
		}
	}
}

// post returns the status of the answer; 0 where there was none.
func (l *Load) post(url string, body []byte) int {
	answer, err := l.client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// Summary is what senders saw.
type Summary struct {
	Posted      int // events
	Refused     int // answers other than 204
	Unanswered  int // requests without an answer
	Median, P99 time.Duration
}

func (s Summary) String() string {
	return fmt.Sprintf("%d events posted, %d refusals, %d requests without an answer; 204 after %s, p99 %s",
		s.Posted, s.Refused, s.Unanswered, s.Median.Round(10*time.Microsecond), s.P99.Round(10*time.Microsecond))
}

// Stop ends the load, once requests in hand are answered, and returns what it saw. It may be called again.
func (l *Load) Stop() Summary {
	l.cancel()
	l.group.Wait()
	l.client.CloseIdleConnections()
	return l.Summary()
}

// Summary returns what the senders have seen so far.
func (l *Load) Summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Summary{Posted: int(l.posted.Load()), Refused: int(l.refused.Load()), Unanswered: int(l.unanswered.Load())}
	if n := len(l.latencies); n > 0 {
		sorted := slices.Sorted(slices.Values(l.latencies))
		s.Median, s.P99 = sorted[n/2], sorted[n*99/100]
	}
	return s
}
