package dispatcher_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/schemas"
)

// The benchmarks tell how many runs a second get from the runs topic to an API that answers at once, and what a plain
// loop of as many concurrent HTTP calls gets from the same API. Broker, API and dispatcher share the machine: compare
// figures of one run.

// benchConcurrency is how many calls are under way.
const benchConcurrency = 64

// startBenchAPI starts an API that answers after a while, or never when the workflow is "hanging".
func startBenchAPI(b *testing.B, after time.Duration) *httptest.Server {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if after > 0 {
			<-time.After(after)
		}
		if strings.Contains(r.URL.Path, "hanging") {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"workflow_run_id":"wf-1"}`)
	}))
	b.Cleanup(api.Close)
	return api
}

func BenchmarkPlainCalls(b *testing.B) { plainCalls(b, 0) }

func BenchmarkPlainCallsOf20ms(b *testing.B) { plainCalls(b, 20*time.Millisecond) }

func plainCalls(b *testing.B, after time.Duration) {
	api := startBenchAPI(b, after)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchConcurrency}}
	b.Cleanup(client.CloseIdleConnections)
	body := newRun("run").Request
	var next atomic.Int64
	var group errgroup.Group
	b.ResetTimer()
	for range benchConcurrency {
		group.Go(func() error {
			for next.Add(1) <= int64(b.N) {
				request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, api.URL+"/v1/workflows/order-confirmation/trigger", bytes.NewReader(body))
				if err != nil {
					return err
				}
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Idempotency-Key", "run-1")
				request.Header.Set("Authorization", "Bearer sk_canary")
				response, err := client.Do(request)
				if err != nil {
					return err
				}
				_, _ = io.ReadAll(response.Body)
				response.Body.Close()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

func BenchmarkDispatch(b *testing.B) { dispatch(b, 0, 0) }

func BenchmarkDispatchOf20ms(b *testing.B) { dispatch(b, 20*time.Millisecond, 0) }

// BenchmarkDispatchBesideHanging has one more run for every four, of a workflow that never answers.
func BenchmarkDispatchBesideHanging(b *testing.B) { dispatch(b, 0, 4) }

func BenchmarkDispatchOf20msBesideHanging(b *testing.B) { dispatch(b, 20*time.Millisecond, 4) }

// dispatch measures from the first call to the last delivery. One in hangingEvery runs hangs; none does when it is 0.
func dispatch(b *testing.B, after time.Duration, hangingEvery int) {
	p := newPipeline(b, 6, func(call) reply { return ok() })
	p.logger = slog.New(slog.DiscardHandler)
	p.destination.BaseURL = startBenchAPI(b, after).URL
	for i := range b.N {
		p.writeLater(int32(i%6), fmt.Sprint("user-", i%2000), newRun(fmt.Sprint("run-", i)))
		if hangingEvery > 0 && i%hangingEvery == 0 {
			hanging := newRun(fmt.Sprint("hanging-", i))
			hanging.Workflow = "hanging"
			p.writeLater(int32(i%6), fmt.Sprint("other-", i%2000), hanging)
		}
	}
	if err := p.client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	config := quick()
	config.Concurrency, config.WorkflowConcurrency = 2*benchConcurrency, benchConcurrency
	config.CommitInterval, config.BreakerDelay, config.MaxGap = time.Second, 10*time.Second, 100_000
	delivered := p.follow(schemas.DeliveriesTopic)
	p.run(config)
	<-delivered
	b.ResetTimer()
	for n := 1; n < b.N; {
		if record := <-delivered; schemas.IsDelivered(record.Headers) {
			n++
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

// BenchmarkLatency tells how long runs take from their making to their call, at 1,000 runs a second. They are written one
// by one, and the time to write one is part of it.
func BenchmarkLatency(b *testing.B) { latency(b, 0) }

// BenchmarkLatencyBesideReplay is BenchmarkLatency with a replay beside it that never runs out of runs, at the rate that
// is the default.
func BenchmarkLatencyBesideReplay(b *testing.B) { latency(b, 1000) }

func latency(b *testing.B, replayRate float64) {
	p := newPipeline(b, 6, func(call) reply { return ok() })
	p.logger = slog.New(slog.DiscardHandler)
	var mu sync.Mutex
	made, took := map[string]time.Time{}, []time.Duration{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		if at, isLive := made[r.Header.Get("Idempotency-Key")]; isLive {
			took = append(took, time.Since(at))
		}
		mu.Unlock()
		_, _ = io.WriteString(w, `{"workflow_run_id":"wf-1"}`)
	}))
	b.Cleanup(api.Close)
	p.destination.BaseURL = api.URL
	config := quick()
	if config.ReplayRate = replayRate; replayRate > 0 {
		p.replay(0, numbered("replayed", 2*b.N)...)
	}
	p.run(config)
	made["warm"] = time.Now()
	p.write(0, "warm", newRun("warm"))
	p.eventually("the first call", func() bool { mu.Lock(); defer mu.Unlock(); return len(took) == 1 })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for i := range b.N {
		<-tick.C
		run := newRun(fmt.Sprint("run-", i))
		mu.Lock()
		made[run.RunID] = time.Now()
		mu.Unlock()
		p.writeLater(int32(i%6), fmt.Sprint("user-", i%2000), run)
	}
	p.eventually("all calls", func() bool { mu.Lock(); defer mu.Unlock(); return len(took) == b.N+1 })
	took = took[1:]
	slices.Sort(took)
	for _, percent := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*percent/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", percent))
	}
}

// follow returns what is written to a topic from its beginning on.
func (p *pipeline) follow(topic string) <-chan *kgo.Record {
	p.t.Helper()
	client, err := kgo.NewClient(append(p.kafka.Options(), kgo.ConsumeTopics(p.kafka.Topic(topic)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		p.t.Fatal(err)
	}
	records := make(chan *kgo.Record, 10_000)
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				select {
				case records <- record:
				case <-ctx.Done():
				}
			})
		}
	}()
	p.t.Cleanup(func() { cancel(); <-done; client.Close() })
	return records
}

func (p *pipeline) writeLater(partition int32, key string, run schemas.Run) {
	p.t.Helper()
	value, err := schemas.Encode(run)
	if err != nil {
		p.t.Fatal(err)
	}
	p.client.Produce(p.t.Context(), p.record(partition, key, value), nil)
}
