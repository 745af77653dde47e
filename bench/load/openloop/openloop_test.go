package openloop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/bench/load/openloop"
)

// fasthttp's client leaves cleaners behind by design, which sleep up to 10 s before they see that they are not needed.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*TCPDialer).tcpAddrsClean"))
}

// pace posts to a server that holds each event back until wait returns, and returns the bodies that came.
func pace(ctx context.Context, t *testing.T, p openloop.Pace, wait func(body string)) (openloop.Paced, []string, error) {
	t.Helper()
	var mu sync.Mutex
	var came []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		wait(string(body))
		mu.Lock()
		came = append(came, string(body))
		mu.Unlock()
		if strings.HasSuffix(string(body), "3") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	p.Address, p.Path = strings.TrimPrefix(server.URL, "http://"), "/"
	p.Body = func(n int, buffer []byte) []byte { return fmt.Append(buffer, n) }
	paced, err := p.Post(ctx, time.Now())
	return paced, came, err
}

func TestEachPacedEventIsPostedOnceAndTheWarmUpIsNotCounted(t *testing.T) {
	paced, came, err := pace(t.Context(), t, openloop.Pace{Rate: 1000, Connections: 4, WarmUp: 5, Events: 20}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(came)
	if len(came) != 25 || len(slices.Compact(came)) != 25 {
		t.Errorf("came: %v", came)
	}
	// Of 5 to 24, 13 and 23 end in a 3.
	if paced.Answers[204] != 18 || paced.Answers[503] != 2 || paced.Latency.TotalCount() != 20 {
		t.Errorf("%+v", paced)
	}
}

func TestWaitingForAConnectionCountsFromWhenTheEventWasDue(t *testing.T) {
	// The only connection is held until the last event has been due for a while: each event's time includes its wait.
	began, held := time.Now(), 200*time.Millisecond
	release := make(chan struct{})
	time.AfterFunc(held, func() { close(release) })
	paced, _, err := pace(t.Context(), t, openloop.Pace{Rate: 1000, Connections: 1, Events: 10}, func(string) { <-release })
	if err != nil {
		t.Fatal(err)
	}
	if shortest := time.Duration(paced.Latency.Min()) * time.Microsecond; shortest < held-20*time.Millisecond {
		t.Errorf("the shortest of 10 times is %s, of which each was held for %s or so", shortest, held)
	}
	if most := 10 / held.Seconds(); paced.Reached() > most*1.01 || time.Since(began) < held {
		t.Errorf("reached %.1f events/s, which cannot be above %.1f", paced.Reached(), most)
	}
}

func TestPacingStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := pace(ctx, t, openloop.Pace{Rate: 1, Connections: 2, Events: 100}, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAPaceThatIsNoneIsRefused(t *testing.T) {
	if _, err := (openloop.Pace{Rate: 0, Connections: 1}).Post(t.Context(), time.Now()); err == nil {
		t.Error("no error")
	}
}

func TestAClosedLoopPostsTheNextEventOnceTheOneBeforeIsAnswered(t *testing.T) {
	const connections, held = 3, 10 * time.Millisecond
	var mu sync.Mutex
	posted, atOnce, most := map[string]int{}, 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		posted[string(body)]++
		atOnce++
		most = max(most, atOnce)
		mu.Unlock()
		<-time.After(held)
		mu.Lock()
		atOnce--
		mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	length := 20 * held
	paced, err := openloop.Closed{
		Address: strings.TrimPrefix(server.URL, "http://"), Path: "/", Connections: connections, WarmUp: length / 2, Length: length,
		Body: func(n int, buffer []byte) []byte { return fmt.Append(buffer, n) },
	}.Post(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for body, times := range posted {
		if times != 1 {
			t.Errorf("event %s was posted %d times", body, times)
		}
	}
	counted := paced.Answers[http.StatusNoContent]
	if most != connections || counted == 0 || len(posted)-counted < connections {
		t.Errorf("%d at once, %d counted of %d", most, counted, len(posted))
	}
	// Each connection is busy until its last answer, which is to an event that was sent in time.
	if highest := connections * (float64(length/held) + 1); float64(counted) > highest {
		t.Errorf("%d counted, where %g fit", counted, highest)
	}
	if shortest := time.Duration(paced.Latency.Min()) * time.Microsecond; shortest < held-time.Millisecond {
		t.Errorf("the shortest time is %s, where each was held for %s", shortest, held)
	}
}

func TestAClosedLoopStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (openloop.Closed{Connections: 2, Length: time.Hour}).Post(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAClosedLoopWithoutAnEndIsRefused(t *testing.T) {
	if _, err := (openloop.Closed{Connections: 1}).Post(t.Context()); err == nil {
		t.Error("no error")
	}
}
