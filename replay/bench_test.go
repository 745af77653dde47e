package replay_test

import (
	"bufio"
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// BenchmarkReplay lets events go through a replay whose filter holds for one in a hundred, on the embedded broker and the
// embedded ClickHouse, both of which share the machine with it. An operation is one event.
func BenchmarkReplay(b *testing.B) {
	few := func(r *schemas.Replay) { r.Where = `timestamp != nil && context.n == 7` }
	all := func(r *schemas.Replay) { r.Triggers[0].Condition = `context.n == 7` }
	b.Run("plain-reading", benchmarkPlainReading)
	b.Run("topic", func(b *testing.B) { benchmarkReplay(b, false, few) })
	b.Run("topic-any-status", func(b *testing.B) {
		benchmarkReplay(b, false, func(r *schemas.Replay) { few(r); r.Statuses = []schemas.Status{schemas.AnyStatus} })
	})
	b.Run("topic-decision-each", func(b *testing.B) { benchmarkReplay(b, false, all) })
	b.Run("log", func(b *testing.B) { benchmarkReplay(b, true, few) })
	b.Run("log-decision-each", func(b *testing.B) { benchmarkReplay(b, true, all) })
}

// benchmarkPlainReading reads the same events and nothing but their headers: what there is to compare with on a machine
// that others use, too.
func benchmarkPlainReading(b *testing.B) {
	w := newWorld(b)
	w.fill(b.N)
	client, err := kgo.NewClient(append(w.config.Options(), kgo.ConsumeTopics(w.config.Topic(schemas.EventsTopic)))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	b.ResetTimer()
	started := time.Now()
	for n := 0; n < b.N; {
		for _, record := range client.PollFetches(b.Context()).Records() {
			if _, err := schemas.ReadEventMeta(record.Headers); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(started).Seconds(), "events/s")
}

func benchmarkReplay(b *testing.B, fromLog bool, change func(*schemas.Replay)) {
	w := newWorld(b)
	w.fill(b.N)
	if fromLog {
		w.deleteBefore(func(int32) int64 { return -1 }) // everything
	}
	w.role(nil)
	b.ResetTimer()
	before := cpuTime(b)
	r := w.completes(w.wanted(func(r *schemas.Replay) {
		r.Triggers[0] = schemas.Trigger{Event: schemas.AnyEvent, Workflow: "some"}
		change(r)
	}))
	b.StopTimer()
	if r.Result.Read != int64(b.N) {
		b.Fatalf("%+v", r.Result)
	}
	took := r.EndedAt.Sub(r.StartedAt).Seconds()
	b.ReportMetric(float64(b.N)/took, "events/s")
	b.ReportMetric(float64(cpuTime(b)-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/event")
	b.ReportMetric(float64(r.Result.Matched), "matched")
	b.ReportMetric(float64(r.Result.Created), "runs")
}

// cpuTime is what this process has used; ClickHouse has a process of its own, and the broker is in this one.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// fill writes so many of the sample events, and has the event log know them and that nothing was decided but that they
// have no trigger.
func (w *world) fill(count int) {
	w.tb.Helper()
	stop := w.eventlog()
	bodies := sampleBodies(w.tb)
	for n := range count {
		body := bodies[n%len(bodies)]
		meta := schemas.EventMeta{SourceID: w.source.ID, Environment: "production", Event: "Order", ReceivedAt: w.start.Add(time.Duration(n) * time.Millisecond)}
		id, err := schemas.NewEventID(meta.ReceivedAt)
		if err != nil {
			w.tb.Fatal(err)
		}
		meta.EventID = id.String()
		key := meta.Key()
		w.client.Produce(w.tb.Context(), &kgo.Record{
			Topic: w.config.Topic(schemas.EventsTopic), Key: key[:], Value: body, Timestamp: meta.ReceivedAt, Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
		}, func(_ *kgo.Record, err error) {
			if err != nil {
				w.tb.Error(err)
			}
		})
	}
	if err := w.client.Flush(w.tb.Context()); err != nil {
		w.tb.Fatal(err)
	}
	w.eventually("the log has every event", func() error { return w.counts("events FINAL", count) })
	stop()
	err := w.conn.Exec(w.tb.Context(), "INSERT INTO decisions (event_id, source_id, environment, event, status, input_partition, input_offset, received_at, decided_at, topic, partition, offset)"+
		" SELECT event_id, source_id, environment, event, 'no_trigger', partition, offset, received_at, received_at, 'x', partition, offset FROM events")
	if err != nil {
		w.tb.Fatal(err)
	}
}

// sampleBodies are the sample events; one in a hundred has a member that the filters look for.
func sampleBodies(tb testing.TB) [][]byte {
	file, err := os.Open("../schemas/testdata/track-events.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	var bodies [][]byte
	for lines := bufio.NewScanner(file); lines.Scan(); {
		n := []byte(`"context":{"n":0,`)
		if len(bodies)%100 == 0 {
			n = []byte(`"context":{"n":7,`)
		}
		bodies = append(bodies, bytes.Replace(lines.Bytes(), []byte(`"context":{`), n, 1))
	}
	return bodies
}
