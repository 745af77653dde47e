package eventlog_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// BenchmarkBacklogOfEvents copies events that wait in Kafka into ClickHouse; broker, engine and event log share the
// machine.
func BenchmarkBacklogOfEvents(b *testing.B) {
	bodies := samples(b)
	backlog(b, "events", func(r *rig, i int) *kgo.Record {
		record, _ := r.event(bodies[i%len(bodies)])
		return record
	})
}

// BenchmarkBacklogOfDecisions copies decisions about ten triggers each, one of which matched.
func BenchmarkBacklogOfDecisions(b *testing.B) {
	triggers := make([]schemas.TriggerDecision, 10)
	for i := range triggers {
		triggers[i] = schemas.TriggerDecision{
			TriggerID: fmt.Sprintf("trg_%d", i), Revision: 3, Workflow: fmt.Sprintf("workflow-%d", i%4), Outcome: schemas.ConditionFalse,
		}
	}
	_, about := (&maker{tb: b}).event(`{"type":"track","event":"Order Completed"}`)
	backlog(b, "decisions", func(r *rig, i int) *kgo.Record {
		of := about
		of.EventID = uuid.Must(uuid.NewV7()).String()
		triggers[i%10].Outcome, triggers[i%10].RunID = schemas.Matched, schemas.RunID("trg_1", of.EventID, 0).String()
		defer func() { triggers[i%10].Outcome, triggers[i%10].RunID = schemas.ConditionFalse, "" }()
		return r.decision(of, schemas.Processed, triggers...)
	})
}

// backlog has the event log copy 200,000 records into an empty table.
func backlog(b *testing.B, table string, record func(r *rig, i int) *kgo.Record) {
	const size = 200_000
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, sharedEngine(b))
		records := make([]*kgo.Record, size)
		for i := range records {
			records[i] = record(r, i)
		}
		produce(b, r.client, records...)
		b.StartTimer()
		stop := r.start()
		r.reaches(size, "SELECT count() FROM "+table)
		b.StopTimer()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(size*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRebuildBesideBacklog has the event log copy events that wait in Kafka, and then rebuilds their table, with all that
// comes with it: filling, swapping, verifying and comparing.
func BenchmarkRebuildBesideBacklog(b *testing.B) {
	const size = 200_000
	bodies := samples(b)
	var copying, filling, rebuilding time.Duration
	for b.Loop() {
		r := newRig(b, sharedEngine(b))
		records := make([]*kgo.Record, size)
		for i := range records {
			records[i], _ = r.event(bodies[i%len(bodies)])
		}
		produce(b, r.client, records...)
		began := time.Now()
		stop := r.start()
		r.reaches(size, "SELECT count() FROM events")
		copying += time.Since(began)
		stop()
		began = time.Now()
		fills := began
		if _, err := r.rebuilding(b.Context(), events(), func(step string) {
			switch step {
			case "filling":
				fills = time.Now()
			case "swapping":
				filling += time.Since(fills)
			}
		}); err != nil {
			b.Fatal(err)
		}
		rebuilding += time.Since(began)
	}
	perSecond := func(took time.Duration) float64 { return size * float64(b.N) / took.Seconds() }
	b.ReportMetric(perSecond(copying), "copied/s")
	b.ReportMetric(perSecond(filling), "filled/s")
	b.ReportMetric(perSecond(rebuilding), "rebuilt/s")
}

// BenchmarkUntilVisible tells how long after Kafka's acknowledgement an event can be queried, while 1,000 others a
// second come in. The query that looks for it runs every 10 ms.
func BenchmarkUntilVisible(b *testing.B) {
	r := newRig(b, sharedEngine(b))
	r.start()
	ctx, cancel := context.WithCancel(b.Context())
	others := make(chan struct{})
	go func() {
		defer close(others)
		background := &rig{maker: maker{tb: b, kafka: r.kafka}, client: r.client}
		for ticks := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-ticks.C {
			r.client.ProduceSync(ctx, background.many(10)...)
		}
	}()
	var waits []time.Duration
	for b.Loop() {
		record, meta := r.event(`{"type":"track","event":"Probe"}`)
		produce(b, r.client, record)
		acknowledged := time.Now()
		r.reaches(1, "SELECT count() FROM events WHERE event_id = '"+meta.EventID+"'")
		waits = append(waits, time.Since(acknowledged))
	}
	cancel()
	<-others
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Milliseconds()), "ms-p50")
	b.ReportMetric(float64(waits[len(waits)*99/100].Milliseconds()), "ms-p99")
}
