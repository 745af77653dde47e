package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/schemas"
)

// compareLatency measures how long an event takes from when it was due to be produced until a reader of committed
// records has its decision. It does so at both guarantees in turn, and prints what exactly_once adds.
func compareLatency(ctx context.Context, o options, samples []sample.Sample, dir string) error {
	w, err := newWorld(ctx, o.address, "latency", 10)
	if err != nil {
		return err
	}
	defer w.close()
	guarantees := []string{"exactly_once", "at_least_once"}
	all := map[string][]time.Duration{}
	for round := range o.rounds {
		for _, guarantee := range guarantees {
			within, cancel := context.WithTimeout(ctx, o.limit)
			latencies, err := measureLatency(within, o, w, samples, dir, guarantee, fmt.Sprint(guarantee, round))
			cancel()
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", guarantee, round+1, err)
			}
			fmt.Printf("round %d  %s\n", round+1, quantiles(guarantee, latencies))
			all[guarantee] = append(all[guarantee], latencies...)
		}
	}
	for _, guarantee := range guarantees {
		fmt.Printf("all      %s\n", quantiles(guarantee, all[guarantee]))
	}
	exactly, atLeast := all["exactly_once"], all["at_least_once"]
	fmt.Printf("exactly_once adds, at %d events/s: p50 %s  p99 %s\n", o.rate,
		quantile(exactly, 0.5)-quantile(atLeast, 0.5), quantile(exactly, 0.99)-quantile(atLeast, 0.99))
	return nil
}

func quantiles(name string, latencies []time.Duration) string {
	return fmt.Sprintf("%-14s %6d events: p50 %s  p99 %s  max %s", name, len(latencies),
		quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 1))
}

// quantile sorts in place.
func quantile(latencies []time.Duration, q float64) time.Duration {
	slices.Sort(latencies)
	return latencies[min(len(latencies)-1, int(q*float64(len(latencies))))].Round(100 * time.Microsecond)
}

// measureLatency runs a processor and produces, open loop, first to warm up and then to measure. Message IDs begin with
// the run's name: an ID of an earlier run would be a repeat, which triggers nothing.
func measureLatency(ctx context.Context, o options, w *world, samples []sample.Sample, dir, guarantee, name string) ([]time.Duration, error) {
	decided, err := followDecisions(ctx, w)
	if err != nil {
		return nil, err
	}
	defer decided.stop()
	process, err := startProcess(ctx, processorCommand(o.binary, w, "bench", filepath.Join(dir, "dedup"), guarantee))
	if err != nil {
		return nil, err
	}
	defer process.stop()
	first, err := produceAt(ctx, w, samples, name+"-first", 1, time.Second)
	if err != nil {
		return nil, err
	}
	// The processor is up once it has decided on one event.
	if _, err := decided.latencies(ctx, process, first); err != nil {
		return nil, err
	}
	if _, err := produceAt(ctx, w, samples, name+"-warm", o.rate, o.warmUp); err != nil {
		return nil, err
	}
	due, err := produceAt(ctx, w, samples, name+"-measured", o.rate, o.length)
	if err != nil {
		return nil, err
	}
	return decided.latencies(ctx, process, due)
}

// produceAt produces at a rate, each event when it is due, and returns when each was.
func produceAt(ctx context.Context, w *world, samples []sample.Sample, prefix string, rate int, length time.Duration) (map[uuid.UUID]time.Time, error) {
	client, err := kgo.NewClient(append(w.cluster.Options(), kgo.ProducerLinger(0))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return nil, err
	}
	due := map[uuid.UUID]time.Time{}
	var failed kgo.FirstErrPromise
	began := time.Now()
	for i := range int(length.Seconds() * float64(rate)) {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at)) //nolint:forbidigo // the schedule is the point
		record, id, err := record(w, samples[i%len(samples)], fmt.Sprint(prefix, i), at.UTC().Truncate(time.Millisecond))
		if err != nil {
			return nil, err
		}
		due[id] = at
		client.Produce(ctx, record, failed.Promise())
	}
	return due, errors.Join(client.Flush(ctx), failed.Err())
}

// decisions notes when the decision on each event was read.
type decisions struct {
	client *kgo.Client
	ended  chan struct{}

	mu sync.Mutex // guards the fields below
	at map[uuid.UUID]time.Time
}

// followDecisions reads decisions from now on, as the dispatcher and the event log do: only committed ones.
func followDecisions(ctx context.Context, w *world) (*decisions, error) {
	topic := w.cluster.Topic(schemas.DecisionsTopic)
	ends, err := w.ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	starts := map[int32]kgo.Offset{}
	for partition, end := range ends {
		starts[partition] = kgo.NewOffset().At(end)
	}
	client, err := kgo.NewClient(append(w.cluster.Options(), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}))...)
	if err != nil {
		return nil, err
	}
	d := &decisions{client: client, ended: make(chan struct{}), at: map[uuid.UUID]time.Time{}}
	go d.follow(ctx)
	return d, nil
}

func (d *decisions) follow(ctx context.Context) {
	defer close(d.ended)
	for {
		fetches := d.client.PollFetches(ctx)
		if fetches.IsClientClosed() || ctx.Err() != nil {
			return
		}
		at := time.Now()
		d.mu.Lock()
		fetches.EachRecord(func(record *kgo.Record) {
			// What is no ID is missed by the one who waits for it.
			if id, err := uuid.ParseBytes(record.Key); err == nil {
				d.at[id] = at
			}
		})
		d.mu.Unlock()
	}
}

func (d *decisions) stop() {
	d.client.Close()
	<-d.ended
}

// latencies waits for the decisions on all of these events and returns how long after it was due each was read.
func (d *decisions) latencies(ctx context.Context, process *process, due map[uuid.UUID]time.Time) ([]time.Duration, error) {
	var all []time.Duration
	err := process.await(ctx, func() (bool, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		all = all[:0]
		for id, from := range due {
			if at, came := d.at[id]; came {
				all = append(all, at.Sub(from))
			}
		}
		return len(all) == len(due), nil
	})
	if err != nil {
		return nil, fmt.Errorf("%d of %d decisions came: %w", len(all), len(due), err)
	}
	return all, nil
}
