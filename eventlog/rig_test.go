package eventlog_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
	backend "github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// patience is how long a condition may take to come true. It bounds a failing test, it is no expectation.
const patience = time.Minute

// rig is a broker and a database of its own, and an event log between the two that a test starts and stops.
type rig struct {
	maker
	config eventlog.Config
	conn   driver.Conn
	writer driver.Conn // the event log's, where that is another
	client *kgo.Client
	logs   *journal

	metrics *prometheus.Registry // of the event log that was started last

	mu      sync.Mutex       // guards offsets
	offsets map[string]int64 // of newWatchedRig only
}

func newRig(tb testing.TB, engine *engine) *rig {
	tb.Helper()
	return newRigOn(tb, engine, backend.Kafka(tb))
}

// newWatchedRig is newRig on a broker that tells what is fetched from it.
func newWatchedRig(tb testing.TB, engine *engine) *rig {
	tb.Helper()
	fake, cluster := backend.Fake(tb)
	r := newRigOn(tb, engine, cluster)
	fake.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		r.note(request.(*kmsg.FetchRequest))
		return nil, nil, false
	})
	return r
}

func newRigOn(tb testing.TB, engine *engine, cluster backend.Cluster) *rig {
	tb.Helper()
	r := &rig{config: engine.config(tb), logs: new(journal), offsets: make(map[string]int64)}
	r.tb = tb
	r.kafka = kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 3, ReplicationFactor: 1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := r.kafka.EnsureTopics(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	var err error
	if r.client, err = kgo.NewClient(r.kafka.Options()...); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.client.Close)
	if err := eventlog.Migrate(tb.Context(), r.config, r.logger()); err != nil {
		tb.Fatal(err)
	}
	r.conn = connect(tb, r.config)
	return r
}

func connect(tb testing.TB, config eventlog.Config) driver.Conn {
	tb.Helper()
	conn, err := eventlog.Connect(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (r *rig) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r.logs, nil)) }

// start runs an event log until the test ends or the returned function is called, which waits for it.
func (r *rig) start() (stop func()) {
	r.tb.Helper()
	r.metrics = prometheus.NewRegistry()
	conn := r.conn
	if r.writer != nil {
		conn = r.writer
	}
	log, err := eventlog.New(r.config, r.kafka, conn, r.metrics, r.logger())
	if err != nil {
		r.tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- log.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			r.tb.Error(err)
		}
	})
	r.tb.Cleanup(stop)
	return stop
}

// note remembers how far each partition is asked for.
func (r *rig) note(request *kmsg.FetchRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, topic := range request.Topics {
		for _, partition := range topic.Partitions {
			place := fmt.Sprint(topic.TopicID, partition.Partition)
			r.offsets[place] = max(r.offsets[place], partition.FetchOffset)
		}
	}
}

// fetched, of a watched rig, waits until the event log asks for what comes behind the first n records: it has taken those.
func (r *rig) fetched(n int) {
	r.tb.Helper()
	eventually(r.tb, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		var sum int64
		for _, offset := range r.offsets {
			sum += offset
		}
		if sum < int64(n) {
			return fmt.Errorf("%d records were fetched, want %d", sum, n)
		}
		return nil
	})
}

func (r *rig) exec(sql string) {
	r.tb.Helper()
	if err := r.conn.Exec(r.tb.Context(), sql); err != nil {
		r.tb.Fatalf("%s: %v", sql, err)
	}
}

// ask returns the single number that a query answers with.
func (r *rig) ask(sql string) uint64 {
	r.tb.Helper()
	var answer uint64
	if err := r.conn.QueryRow(r.tb.Context(), "SELECT toUInt64(("+sql+"))").Scan(&answer); err != nil {
		r.tb.Fatalf("%s: %v", sql, err)
	}
	return answer
}

// reaches waits until the number that a query answers with is at least want.
func (r *rig) reaches(want int, sql string) {
	r.tb.Helper()
	eventually(r.tb, func() error {
		var got uint64
		if err := r.conn.QueryRow(r.tb.Context(), "SELECT toUInt64(("+sql+"))").Scan(&got); err != nil {
			return err
		}
		if got < uint64(want) {
			return fmt.Errorf("%s: %d, want %d\n%s", sql, got, want, r.logs)
		}
		return nil
	})
}

// exact checks that the table holds each offset that was produced to the topic, once under FINAL.
func (r *rig) exact(table string, produced []*kgo.Record) {
	r.tb.Helper()
	want := make(map[string]bool)
	for _, record := range produced {
		want[fmt.Sprintf("%s/%d/%d", record.Topic, record.Partition, record.Offset)] = true
	}
	var got []string
	err := r.conn.QueryRow(r.tb.Context(), "SELECT groupArray(concat(topic, '/', toString(partition), '/', toString(offset))) FROM "+table+" FINAL").Scan(&got)
	if err != nil {
		r.tb.Fatal(err)
	}
	if len(got) != len(want) {
		r.tb.Errorf("%s: %d rows under FINAL, %d records were produced", table, len(got), len(want))
	}
	for _, place := range got {
		if !want[place] {
			r.tb.Errorf("%s: row of %s, which was not produced or is there twice", table, place)
		}
		delete(want, place)
	}
	for place := range want {
		r.tb.Errorf("%s: no row of %s", table, place)
		return
	}
}

func eventually(tb testing.TB, condition func() error) {
	tb.Helper()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	deadline := time.After(patience)
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			tb.Fatal(err)
		case <-ticks.C:
		}
	}
}

// journal keeps what was logged, for tests that look for it and for the ones that fail.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) has(text string) error {
	if !strings.Contains(j.String(), text) {
		return fmt.Errorf("not logged: %s\n%s", text, j)
	}
	return nil
}
