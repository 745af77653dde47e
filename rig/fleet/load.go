package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Senders says how events are posted.
type Senders struct {
	To          []string  // URLs of ingest, in turn
	Through     *Balancer // that chooses the URLs, instead of To
	PerSecond   float64   // events
	Duplicates  float64   // share that repeats an earlier event's message ID
	Connections int       // requests at a time at most; 64
	Seed        uint64
	Padding     int   // bytes that each event has more
	First       int64 // number of the first event, where others have been posted before, or beside these
	Messages    int64 // message IDs that the events have, over and over; 0 is one for each, but for Duplicates
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

	posted, refused, unanswered, unreached atomic.Int64

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
		for number := senders.First; pace.Wait(ctx) == nil; number++ {
			message := number
			if number > senders.First && random.Float64() < senders.Duplicates {
				message = senders.First + random.Int64N(number-senders.First)
			}
			if senders.Messages > 0 {
				message = senders.First + random.Int64N(senders.Messages)
			}
			work <- post{number, f.EventBody(number, message, senders.Padding)}
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

// EventBody is the event with this number, under the message ID of that or an earlier one.
func (f *Fleet) EventBody(number, message int64, padding int) []byte {
	further, person := f.options.Properties, "userId"
	if further != "" {
		further = "," + further
	}
	if f.isAnonymous(number) {
		person = "anonymousId"
	}
	return fmt.Appendf(nil, `{"type":"track","event":"Order","%s":"u%d","messageId":"m%d","properties":{"n":%d,"chosen":%t,"padding":"%s"%s}}`,
		person, message%500, message, number, f.options.EventNumber(number), strings.Repeat("x", padding), further)
}

// deliver posts an event until it is taken, or the load ends: then nobody promised anything.
func (l *Load) deliver(ctx context.Context, p post) {
	l.posted.Add(1)
	for try := 0; ; try++ {
		started := time.Now()
		switch l.post(int(p.number)+try, p) {
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
func (l *Load) post(turn int, p post) int {
	var url string
	if balancer := l.senders.Through; balancer != nil {
		target := balancer.pick(turn)
		defer balancer.release(target)
		url = target.url
	} else {
		url = l.senders.To[turn%len(l.senders.To)]
	}
	answer, err := l.client.Post(url+l.fleet.path(p.number), "application/json", bytes.NewReader(p.body))
	if failed, is := errors.AsType[*net.OpError](err); is && failed.Op == "dial" {
		l.unreached.Add(1)
	}
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
	Unreached   int // of them, those that found nobody listening
	Median, P99 time.Duration
}

func (s Summary) String() string {
	return fmt.Sprintf("%d events posted, %d refusals, %d requests without an answer (%d found nobody listening); 204 after %s, p99 %s",
		s.Posted, s.Refused, s.Unanswered, s.Unreached, s.Median.Round(10*time.Microsecond), s.P99.Round(10*time.Microsecond))
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
	s := Summary{Posted: int(l.posted.Load()), Refused: int(l.refused.Load()), Unanswered: int(l.unanswered.Load()), Unreached: int(l.unreached.Load())}
	if n := len(l.latencies); n > 0 {
		sorted := slices.Sorted(slices.Values(l.latencies))
		s.Median, s.P99 = sorted[n/2], sorted[n*99/100]
	}
	return s
}
