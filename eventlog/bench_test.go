package eventlog_test

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/schemas"
)

// BenchmarkBacklogOfEvents copies events that wait in Kafka into ClickHouse; broker, engine and event log share the
// machine.
func BenchmarkBacklogOfEvents(b *testing.B) {
	const size = 200_000
	bodies := samples(b)
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, sharedEngine(b))
		records := make([]*kgo.Record, size)
		for i := range records {
			records[i], _ = r.event(bodies[i%len(bodies)])
		}
		produce(b, r.client, records...)
		b.StartTimer()
		stop := r.start()
		r.reaches(size, "SELECT count() FROM events")
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

// BenchmarkInsertBesideBare inserts the same rows in blocks of the same size, in turn, by the event log, from Kafka's records
// on, and by a bare loop of clickhouse-go over columns that are ready. Like the role, the event log reads a block while it
// inserts the one before.
func BenchmarkInsertBesideBare(b *testing.B) {
	const size, block = 400_000, 50_000
	r := newRig(b, sharedEngine(b))
	bodies := samples(b)
	records := make([]*kgo.Record, size)
	for i := range records {
		records[i], _ = r.event(bodies[i%len(bodies)])
		records[i].Topic, records[i].Offset = r.kafka.Topic(schemas.EventsTopic), int64(i)
	}
	insert := func() time.Duration {
		r.exec("TRUNCATE TABLE events")
		began := time.Now()
		if err := eventlog.InsertEvents(b.Context(), r.conn, r.logger(), slices.Collect(slices.Chunk(records, block))); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	insert()
	blocks := r.columns("events", block)
	r.exec("CREATE TABLE bare AS events")
	var ours, bare time.Duration
	for b.Loop() {
		ours += insert()
		r.exec("TRUNCATE TABLE bare")
		began := time.Now()
		for _, columns := range blocks {
			r.insertColumns("bare", columns)
		}
		bare += time.Since(began)
	}
	rows := float64(size) * float64(b.N)
	b.ReportMetric(rows/ours.Seconds(), "rows/s")
	b.ReportMetric(rows/bare.Seconds(), "bare-rows/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
}

// columns reads a table in the order of its offsets, in blocks of one slice a column.
func (r *rig) columns(table string, block int) (blocks []map[string]reflect.Value) {
	r.tb.Helper()
	rows, err := r.conn.Query(r.tb.Context(), "SELECT * FROM "+table+" ORDER BY offset")
	if err != nil {
		r.tb.Fatal(err)
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	row := make([]any, len(types))
	for i, column := range types {
		row[i] = reflect.New(column.ScanType()).Interface()
	}
	for count := 0; rows.Next(); count++ {
		if count%block == 0 {
			blocks = append(blocks, make(map[string]reflect.Value))
			for _, column := range types {
				blocks[len(blocks)-1][column.Name()] = reflect.MakeSlice(reflect.SliceOf(column.ScanType()), 0, block)
			}
		}
		if err := rows.Scan(row...); err != nil {
			r.tb.Fatal(err)
		}
		for i, column := range types {
			values := blocks[len(blocks)-1]
			values[column.Name()] = reflect.Append(values[column.Name()], reflect.ValueOf(row[i]).Elem())
		}
	}
	if err := rows.Err(); err != nil {
		r.tb.Fatal(err)
	}
	return blocks
}

func (r *rig) insertColumns(table string, columns map[string]reflect.Value) {
	r.tb.Helper()
	names := slices.Sorted(maps.Keys(columns))
	batch, err := r.conn.PrepareBatch(r.tb.Context(), "INSERT INTO "+table+" (`"+strings.Join(names, "`, `")+"`)")
	if err != nil {
		r.tb.Fatal(err)
	}
	for i, name := range names {
		if err := batch.Column(i).Append(columns[name].Interface()); err != nil {
			r.tb.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		r.tb.Fatal(err)
	}
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
