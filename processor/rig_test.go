package processor_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestMain lets more tests run at a time than there are processors: those that are parallel mostly wait.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// patience bounds a failing test; it is no expectation.
const patience = 30 * time.Second

// world is a broker with a catalog, and a client that writes events and reads what the processor writes.
type world struct {
	t      *testing.T
	config kafka.Config
	reader *catalog.Reader
	writer *catalog.Writer
	client *kgo.Client
	source schemas.Source
	start  time.Time // received_at of the first event

	cluster   *kfake.Cluster // of newFaultyWorld only
	wire      *wire          // its network
	session   time.Duration  // after how long a processor that is gone is forgotten
	dedupDir  string
	processor *processor.Processor // started last

	lies      map[string]int32            // by event ID, in which partition
	decisions map[string]schemas.Decision // by event ID, collapsed
	runs      map[string]schemas.Run      // by run ID, collapsed
	copies    map[string]int              // how often each decision was read
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, rig.Kafka(t, kfake.GroupMinSessionTimeout(100*time.Millisecond)))
}

func newWorldOn(t *testing.T, cluster rig.Cluster) *world {
	t.Helper()
	w := &world{
		t: t, dedupDir: t.TempDir(), session: 6 * time.Second, // the least that Kafka allows by default
		start: time.Now().UTC().Truncate(time.Millisecond).Add(-48 * time.Hour),
		config: kafka.Config{
			Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
			Topics: kafka.Settings{Partitions: 3, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
		},
		lies: map[string]int32{}, decisions: map[string]schemas.Decision{}, runs: map[string]schemas.Run{}, copies: map[string]int{},
	}
	if err := w.config.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.openCatalog()
	var err error
	w.client, err = kgo.NewClient(append(w.config.Options(),
		kgo.ConsumeTopics(w.config.Topic(schemas.DecisionsTopic), w.config.Topic(schemas.RunsTopic)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.DisableClientMetrics())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

func (w *world) openCatalog() {
	var err error
	if w.reader, err = catalog.NewReader(w.config, slog.New(slog.DiscardHandler)); err != nil {
		w.t.Fatal(err)
	}
	if w.writer, err = catalog.NewWriter(w.config, w.reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{}); err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.reader.Run(ctx) }()
	w.t.Cleanup(func() {
		w.writer.Close()
		stop()
		<-ended
	})
	if err := w.writer.EnsureEnvironment(w.t.Context(), schemas.Environment{Name: "production"}); err != nil {
		w.t.Fatal(err)
	}
	if w.source, err = w.writer.CreateSource(w.t.Context(), schemas.Source{Name: "app"}); err != nil {
		w.t.Fatal(err)
	}
}

// run starts a processor and returns a function that stops it.
func (w *world) run(guarantee processor.Guarantee) (stop func()) {
	w.t.Helper()
	return w.runAs(processor.Config{
		Guarantee: guarantee, BatchRecords: 1000, CommitTimeout: 10 * time.Second, DedupDir: w.dedupDir, DedupMemory: 8 << 20,
	})
}

func (w *world) runAs(config processor.Config) (stop func()) {
	w.t.Helper()
	p, err := processor.New(config, w.config, w.reader, slog.New(slog.NewTextHandler(w.t.Output(), nil)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.processor = p
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("the processor ended with: %v", err)
		}
	}
	w.t.Cleanup(stop)
	return stop
}

func (w *world) trigger(change func(*schemas.Trigger)) schemas.Trigger {
	w.t.Helper()
	wanted := schemas.Trigger{Environment: "production", SourceID: w.source.ID, Event: "Order", Workflow: "order"}
	if change != nil {
		change(&wanted)
	}
	made, err := w.writer.CreateTrigger(w.t.Context(), wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// event is one posted event.
type event struct {
	messageID string
	after     time.Duration // since start
	name      string        // default "Order"
	data      string        // the properties, default {}
}

// post writes events as ingest does, all at once, and returns their IDs.
func (w *world) post(events ...event) []string {
	w.t.Helper()
	var ids []string
	var records []*kgo.Record
	for _, e := range events {
		id, record := w.record(e)
		ids, records = append(ids, id), append(records, record)
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	for i, record := range records {
		w.lies[ids[i]] = record.Partition
	}
	return ids
}

func (w *world) record(e event) (id string, record *kgo.Record) {
	w.t.Helper()
	if e.name == "" {
		e.name = "Order"
	}
	if e.data == "" {
		e.data = "{}"
	}
	meta := schemas.EventMeta{
		EventID: uuid.Must(uuid.NewV7()).String(), SourceID: w.source.ID, Environment: "production", Event: e.name,
		MessageID: e.messageID, ReceivedAt: w.start.Add(e.after),
	}
	key := meta.Key()
	return meta.EventID, &kgo.Record{
		Topic: w.config.Topic(schemas.EventsTopic), Key: key[:], Timestamp: meta.ReceivedAt, Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
		Value: fmt.Appendf(nil, `{"type":"track","event":%q,"userId":"u1","properties":%s}`, e.name, e.data),
	}
}

// await reads until every event has a decision.
func (w *world) await(eventIDs ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for {
		missing := 0
		for _, id := range eventIDs {
			if _, decided := w.decisions[id]; !decided {
				missing++
			}
		}
		if missing == 0 && w.runsComplete() {
			return
		}
		fetches := w.client.PollFetches(ctx)
		if ctx.Err() != nil {
			w.t.Fatalf("%d events are undecided, or runs missing", missing)
		}
		fetches.EachRecord(w.note)
	}
}

// runsComplete reports whether each run that a decision names has been read.
func (w *world) runsComplete() bool {
	for _, decision := range w.decisions {
		for _, trigger := range decision.Triggers {
			if _, found := w.runs[trigger.RunID]; trigger.RunID != "" && !found {
				return false
			}
		}
	}
	return true
}

func (w *world) note(record *kgo.Record) {
	if record.Topic == w.config.Topic(schemas.RunsTopic) {
		run, err := schemas.Decode[schemas.Run](record.Value)
		if err != nil {
			w.t.Error(err)
		}
		if before, known := w.runs[run.RunID]; known && string(before.Request) != string(run.Request) {
			w.t.Errorf("run %s has two bodies", run.RunID)
		}
		w.runs[run.RunID] = run
		return
	}
	decision, err := schemas.Decode[schemas.Decision](record.Value)
	if err != nil {
		w.t.Error(err)
	}
	if before, known := w.decisions[decision.EventID]; known && asJSON(w.t, before.Triggers, before.Status) != asJSON(w.t, decision.Triggers, decision.Status) {
		w.t.Errorf("event %s is decided in two ways:\n%+v\n%+v", decision.EventID, before, decision)
	}
	w.decisions[decision.EventID] = decision
	w.copies[decision.EventID]++
}

func asJSON(t *testing.T, values ...any) string {
	t.Helper()
	encoded, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// requireStatus expects the statuses of the events, in order.
func (w *world) requireStatus(ids []string, want ...schemas.Status) {
	w.t.Helper()
	w.await(ids...)
	for i, id := range ids {
		if got := w.decisions[id].Status; got != want[i] {
			w.t.Errorf("event %d is %s, want %s: %+v", i, got, want[i], w.decisions[id])
		}
	}
}
