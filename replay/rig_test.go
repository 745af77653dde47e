package replay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// patience bounds a failing test; it is no expectation.
const patience = 60 * time.Second

// world is a broker with a catalog and an event log, and what the test wrote to it.
type world struct {
	tb     testing.TB
	config kafka.Config
	reader *catalog.Reader
	writer *catalog.Writer
	client *kgo.Client
	admin  *kadm.Client
	told   *replay.Progress
	conn   driver.Conn
	log    *query.Log
	source schemas.Source
	start  time.Time // received_at of the first event
	events []sent
}

// sent is an event in the topic.
type sent struct {
	schemas.EventMeta
	total     int // of the order; a mapping fails where it is 13
	partition int32
	offset    int64
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	return newWorldOn(tb, rig.Kafka(tb, kfake.GroupMinSessionTimeout(100*time.Millisecond)))
}

func newWorldOn(tb testing.TB, cluster rig.Cluster) *world {
	tb.Helper()
	w := &world{
		tb: tb, start: time.Now().UTC().Truncate(time.Millisecond).Add(-24 * time.Hour),
		config: kafka.Config{
			Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
			Topics: kafka.Settings{Partitions: 3, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
		},
	}
	if err := w.config.EnsureTopics(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	var err error
	if w.client, err = kgo.NewClient(append(w.config.Options(), kgo.MaxBufferedRecords(100_000))...); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.client.Close)
	w.admin = kadm.NewClient(w.client)
	if w.told, err = replay.NewProgress(w.config); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.told.Close)
	w.openLog()
	w.openCatalog()
	return w
}

// logConfig leads to the world's own database.
func (w *world) logConfig() eventlog.Config {
	config := address
	config.DSN = "http://embedded:8123/" + strings.NewReplacer(".", "_", "-", "_").Replace(w.config.TopicPrefix)
	return config
}

func (w *world) openLog() {
	w.tb.Helper()
	if err := eventlog.Migrate(w.tb.Context(), w.logConfig(), slog.New(slog.DiscardHandler)); err != nil {
		w.tb.Fatal(err)
	}
	var err error
	if w.conn, err = eventlog.Connect(w.tb.Context(), w.logConfig()); err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = w.conn.Close() })
	w.log = query.New(w.conn)
}

func (w *world) openCatalog() {
	w.tb.Helper()
	var err error
	if w.reader, err = catalog.NewReader(w.config, slog.New(slog.DiscardHandler)); err != nil {
		w.tb.Fatal(err)
	}
	if w.writer, err = catalog.NewWriter(w.config, w.reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{}); err != nil {
		w.tb.Fatal(err)
	}
	stop := w.background(w.reader.Run)
	w.tb.Cleanup(func() { w.writer.Close(); stop() })
	if err := w.writer.EnsureEnvironment(w.tb.Context(), schemas.Environment{Name: "production"}); err != nil {
		w.tb.Fatal(err)
	}
	if w.source, err = w.writer.CreateSource(w.tb.Context(), schemas.Source{Name: "app"}); err != nil {
		w.tb.Fatal(err)
	}
}

// background runs something until the function it returns is called, which waits for it, or the test ends.
func (w *world) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.tb.Errorf("a role ended with: %v", err)
		}
	})
	w.tb.Cleanup(stop)
	return stop
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w.tb.Output(), nil)) }

// role runs the role under test.
func (w *world) role(change func(*replay.Config)) (stop func()) {
	w.tb.Helper()
	config := replay.Config{Concurrent: 2, LogPatience: 30 * time.Second, SessionTime: 6 * time.Second}
	if change != nil {
		change(&config)
	}
	role, err := replay.New(config, w.config, w.reader, w.writer, w.log, w.logger())
	if err != nil {
		w.tb.Fatal(err)
	}
	return w.background(role.Run)
}

// processor decides on the events.
func (w *world) processor() (stop func()) {
	w.tb.Helper()
	role, err := processor.New(processor.Config{
		Guarantee: processor.AtLeastOnce, BatchRecords: 1000, CommitTimeout: 10 * time.Second, DedupDir: w.tb.TempDir(), DedupMemory: 8 << 20,
	}, w.config, w.reader, w.logger())
	if err != nil {
		w.tb.Fatal(err)
	}
	return w.background(role.Run)
}

// eventlog remembers everything.
func (w *world) eventlog() (stop func()) {
	w.tb.Helper()
	role, err := eventlog.New(w.logConfig(), w.config, w.conn, prometheus.NewRegistry(), w.logger())
	if err != nil {
		w.tb.Fatal(err)
	}
	return w.background(role.Run)
}

// decided runs the processor and the event log until every event is decided on and in the log. The log goes on.
func (w *world) decided() {
	w.tb.Helper()
	w.eventlog()
	stop := w.processor()
	w.eventually("the log has every decision", func() error {
		return w.counts("decisions FINAL WHERE replay_id = ''", len(w.events))
	})
	stop()
	w.logged(schemas.RunsTopic, "runs")
	w.eventually("the log has every event", func() error { return w.counts("events FINAL", len(w.events)) })
}

// logged waits until the log has what is in a topic.
func (w *world) logged(topic, table string) {
	w.tb.Helper()
	ends, err := w.admin.ListEndOffsets(w.tb.Context(), w.config.Topic(topic))
	if err != nil {
		w.tb.Fatal(err)
	}
	total := 0
	ends.Each(func(end kadm.ListedOffset) { total += int(end.Offset) })
	w.eventually("the log has all of "+topic, func() error {
		return w.counts("(SELECT DISTINCT partition, offset FROM "+table+" WHERE topic = '"+w.config.Topic(topic)+"')", total)
	})
}

func (w *world) counts(from string, want int) error {
	var count uint64
	if err := w.conn.QueryRow(w.tb.Context(), "SELECT count() FROM "+from).Scan(&count); err != nil {
		return err
	}
	if int(count) != want {
		return fmt.Errorf("%s: %d rows, want %d", from, count, want)
	}
	return nil
}

func (w *world) eventually(what string, condition func() error) {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			w.tb.Fatalf("waiting until %s: %v", what, err)
		case <-ticks.C:
		}
	}
}

// order is an event as tests write it.
type order struct {
	name      string // Order where it is empty
	total     int
	messageID string
	at        time.Duration // after the world's start
	source    string        // the world's where it is empty
}

// send writes orders to the events topic, in their order, a second apart where they say nothing else.
func (w *world) send(orders ...order) {
	w.tb.Helper()
	records := make([]*kgo.Record, len(orders))
	metas := make([]schemas.EventMeta, len(orders))
	for i, o := range orders {
		records[i], metas[i] = w.record(o, len(w.events)+i)
	}
	if err := w.client.ProduceSync(w.tb.Context(), records...).FirstErr(); err != nil {
		w.tb.Fatal(err)
	}
	for i, record := range records {
		w.events = append(w.events, sent{metas[i], orders[i].total, record.Partition, record.Offset})
	}
}

func (w *world) record(o order, number int) (*kgo.Record, schemas.EventMeta) {
	if o.at == 0 {
		o.at = time.Duration(number) * time.Second
	}
	if o.name == "" {
		o.name = "Order"
	}
	if o.source == "" {
		o.source = w.source.ID
	}
	at := w.start.Add(o.at)
	id, err := schemas.NewEventID(at)
	if err != nil {
		w.tb.Fatal(err)
	}
	meta := schemas.EventMeta{EventID: id.String(), SourceID: o.source, Environment: "production", Event: o.name, MessageID: o.messageID, ReceivedAt: at}
	key := meta.Key()
	body := fmt.Sprintf(`{"type":"track","event":%q,"userId":"u%d","properties":{"total":%d},  "odd" : "bytes"}`, o.name, number%7, o.total)
	return &kgo.Record{
		Topic: w.config.Topic(schemas.EventsTopic), Key: key[:], Value: []byte(body), Timestamp: at,
		Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
	}, meta
}

// orders returns so many orders, whose totals go from 0 on.
func orders(count int) []order {
	list := make([]order, count)
	for i := range list {
		list[i].total = i
	}
	return list
}

// wanted is a replay of everything, through a draft that takes orders of more than 100.
func (w *world) wanted(change func(*schemas.Replay)) schemas.Replay {
	r := schemas.Replay{
		Environment: "production", SourceID: w.source.ID, From: w.start, To: time.Now(),
		Triggers: []schemas.Trigger{{Event: "Order", Workflow: "big-order", Condition: "data.total > 100"}},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func (w *world) create(r schemas.Replay) schemas.Replay {
	w.tb.Helper()
	w.change(func(tx *catalog.Tx) (err error) {
		r, err = tx.CreateReplay(r)
		return err
	})
	return r
}

func (w *world) change(change func(*catalog.Tx) error) {
	w.tb.Helper()
	if err := w.writer.Change(w.tb.Context(), change); err != nil {
		w.tb.Fatal(err)
	}
}

// ends waits until a replay has ended, and checks how.
func (w *world) ends(id string, want schemas.ReplayState) schemas.Replay {
	w.tb.Helper()
	var r schemas.Replay
	w.eventually("replay "+id+" is "+string(want), func() error {
		r, _ = w.reader.Snapshot().Replay(id)
		if !r.State.IsFinal() || r.Result == nil {
			return fmt.Errorf("it is %s: %s", r.State, r.Reason)
		}
		return nil
	})
	if r.State != want {
		w.tb.Fatalf("replay %s is %s (%s), want %s", id, r.State, r.Reason, want)
	}
	return r
}

// reaches waits until a replay has committed so many runs.
func (w *world) reaches(id string, created int64) {
	w.tb.Helper()
	w.eventually(fmt.Sprint(created, " runs are committed"), func() error {
		if made := w.progress(id).Created; made < created {
			return fmt.Errorf("%d are", made)
		}
		return nil
	})
}

func (w *world) progress(id string) schemas.ReplayProgress {
	w.tb.Helper()
	r, _ := w.reader.Snapshot().Replay(id)
	progress, err := w.told.Of(w.tb.Context(), r)
	if err != nil {
		w.tb.Fatal(err)
	}
	return progress
}

// completes creates a replay and waits until it is completed.
func (w *world) completes(r schemas.Replay) schemas.Replay {
	w.tb.Helper()
	return w.ends(w.create(r).ID, schemas.ReplayCompleted)
}

// all reads a topic from its beginning to its end.
func (w *world) all(topic string) []*kgo.Record {
	w.tb.Helper()
	name := w.config.Topic(topic)
	ends, err := w.admin.ListEndOffsets(w.tb.Context(), name)
	if err != nil {
		w.tb.Fatal(err)
	}
	left := 0
	ends.Each(func(end kadm.ListedOffset) { left += int(end.Offset) })
	client, err := kgo.NewClient(append(w.config.Options(), kgo.ConsumeTopics(name), kgo.FetchMaxWait(50*time.Millisecond))...)
	if err != nil {
		w.tb.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.tb.Context(), patience)
	defer cancel()
	var records []*kgo.Record
	for len(records) < left {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			w.tb.Fatalf("%s: %d of %d records came", topic, len(records), left)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

// written returns the runs and the decisions of a replay, each once, and how many records of runs there are.
func (w *world) written(id string) (runs map[string]schemas.Run, decisions map[string]schemas.Decision, records int) {
	w.tb.Helper()
	runs, decisions = map[string]schemas.Run{}, map[string]schemas.Decision{}
	for _, record := range w.all(schemas.ReplayRunsTopic) {
		run, err := schemas.Decode[schemas.Run](record.Value)
		if err != nil {
			w.tb.Fatal(err)
		}
		if run.ReplayID == id {
			runs[run.RunID] = run
			records++
		}
	}
	for _, record := range w.all(schemas.ReplayedTopic) {
		decision, err := schemas.Decode[schemas.Decision](record.Value)
		if err != nil {
			w.tb.Fatal(err)
		}
		if decision.ReplayID == id {
			decisions[decision.EventID] = decision
		}
	}
	return runs, decisions, records
}

// exactly checks that a replay wrote the run of each trigger for each event that should have it, and no other, and that it
// has counted them.
func (w *world) exactly(r schemas.Replay, has func(schemas.Trigger, sent) bool) {
	w.tb.Helper()
	runs, _, _ := w.written(r.ID)
	want := 0
	for _, trigger := range r.Triggers {
		for _, event := range w.events {
			if !has(trigger, event) {
				continue
			}
			want++
			id := schemas.RunID(trigger.ID, event.EventID, r.Generation).String()
			if run := runs[id]; run.EventID != event.EventID || run.TriggerID != trigger.ID || run.Workflow != trigger.Workflow {
				w.tb.Errorf("the run of event %s is %+v", event.EventID, run)
			}
		}
	}
	if len(runs) != want || r.Result != nil && r.Result.Created != int64(want) {
		w.tb.Errorf("%d runs, want %d; counted: %+v", len(runs), want, r.Result)
	}
}

func isBig(_ schemas.Trigger, event sent) bool { return event.Event == "Order" && event.total > 100 }

// deleteBefore makes the topic forget what lies before some offset of each partition.
func (w *world) deleteBefore(offset func(partition int32) int64) {
	w.tb.Helper()
	offsets := kadm.Offsets{}
	for number := range int32(w.config.Topics.Partitions) {
		offsets.AddOffset(w.config.Topic(schemas.EventsTopic), number, offset(number), -1)
	}
	deleted, err := w.admin.DeleteRecords(w.tb.Context(), offsets)
	if err := errors.Join(err, deleted.Error()); err != nil {
		w.tb.Fatal(err)
	}
}
