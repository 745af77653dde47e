// Command latency measures how long an event takes from its POST to the arrival of its run at the workflow API, in a
// running `millrace dev`. It starts the pipeline with itself as the workflow API and posts at a fixed rate, open loop:
// an event's time counts from when it was due, so that a stall is not hidden by the sender waiting for it. It prints
// the quantiles and ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"time"
)

func main() {
	rate := flag.Int("rate", 1000, "events per second")
	length := flag.Duration("for", 20*time.Second, "how long to post")
	warmUp := flag.Duration("warm-up", 5*time.Second, "how long to post before measuring")
	binary := flag.String("binary", "bin/millrace", "the millrace binary")
	library := flag.String("library-dir", ".millrace/lib", "where the ClickHouse engine library is")
	flag.Parse()
	if err := run(*binary, *library, *rate, *warmUp, *length); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

func run(binary, library string, rate int, warmUp, length time.Duration) error {
	arrivals := &arrivals{at: map[string]time.Time{}}
	workflows := httptest.NewServer(http.HandlerFunc(arrivals.take))
	defer workflows.Close()
	ctx, cancel := context.WithTimeout(context.Background(), warmUp+length+2*time.Minute)
	defer cancel()
	pipeline, err := start(ctx, binary, library, workflows.URL)
	if err != nil {
		return err
	}
	defer pipeline.stop()
	endpoint, err := pipeline.prepare(ctx)
	if err != nil {
		return err
	}
	if _, err := post(ctx, endpoint, "warm", rate, warmUp); err != nil {
		return err
	}
	due, err := post(ctx, endpoint, "measured", rate, length)
	if err != nil {
		return err
	}
	if err := arrivals.await(ctx, due); err != nil {
		return err
	}
	report(rate, arrivals.latencies(due))
	return nil
}

// arrivals is the workflow API: it notes when the run of each event came first.
type arrivals struct {
	mu sync.Mutex // guards at
	at map[string]time.Time
}

// latencies returns, sorted, how long after it was due each event's run arrived.
func (a *arrivals) latencies(due map[string]time.Time) []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []time.Duration
	for id, from := range due {
		all = append(all, a.at[id].Sub(from))
	}
	slices.Sort(all)
	return all
}

func report(rate int, latencies []time.Duration) {
	quantile := func(q float64) time.Duration {
		return latencies[min(len(latencies)-1, int(q*float64(len(latencies))))].Round(100 * time.Microsecond)
	}
	fmt.Printf("POST to the run's arrival, %d events at %d/s: p50 %s  p90 %s  p99 %s  p99.9 %s  max %s\n",
		len(latencies), rate, quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), quantile(1))
}
