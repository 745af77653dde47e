package chaos

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// world is a broker with a catalog: one source, a trigger for every event and one with a condition.
type world struct {
	t       *testing.T
	config  kafka.Config
	source  schemas.Source
	always  schemas.Trigger
	oddOnly schemas.Trigger
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cluster := rig.Kafka(t)
	w := &world{t: t, config: kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "chaos",
		Topics: kafka.Settings{Partitions: 4, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}}
	if err := w.config.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.fillCatalog(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) fillCatalog() error {
	logger := slog.New(slog.DiscardHandler)
	reader, err := catalog.NewReader(w.config, logger)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	defer func() {
		stop()
		<-ended
	}()
	writer, err := catalog.NewWriter(w.config, reader, logger, catalog.WriterOptions{})
	if err != nil {
		return err
	}
	defer writer.Close()
	if err := writer.EnsureEnvironment(ctx, schemas.Environment{Name: "production"}); err != nil {
		return err
	}
	var problems [3]error
	w.source, problems[0] = writer.CreateSource(ctx, schemas.Source{Name: "app"})
	trigger := schemas.Trigger{Environment: "production", SourceID: w.source.ID, Event: "Order", Workflow: "always"}
	w.always, problems[1] = writer.CreateTrigger(ctx, trigger)
	trigger.Workflow, trigger.Condition = "odd", "data.n % 2 == 1"
	w.oddOnly, problems[2] = writer.CreateTrigger(ctx, trigger)
	return errors.Join(problems[:]...)
}

// pause lets time pass: when a fault comes is what a chaos test chooses.
func (w *world) pause(length time.Duration) {
	select {
	case <-time.After(length):
	case <-w.t.Context().Done():
	}
}

// client returns a reader of topics from their beginning that sees what is committed.
func (w *world) client(topics ...string) *kgo.Client {
	w.t.Helper()
	for i := range topics {
		topics[i] = w.config.Topic(topics[i])
	}
	client, err := kgo.NewClient(append(w.config.Options(), kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// read calls each for every committed record of a topic. Nobody may be writing to it.
func (w *world) read(topic string, each func(*kgo.Record)) {
	w.t.Helper()
	client := w.client(topic)
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	// Markers of transactions are kept, because the last record of a partition may be one.
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, w.config.Topic(topic))
	if err != nil {
		w.t.Fatal(err)
	}
	next := map[int32]int64{}
	isRead := func() bool {
		done := true
		ends.Each(func(end kadm.ListedOffset) { done = done && next[end.Partition] >= end.Offset })
		return done
	}
	for !isRead() {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			w.t.Fatalf("reading %s does not end: at %v of %v", topic, next, ends)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			next[record.Partition] = record.Offset + 1
			if !record.Attrs.IsControl() {
				each(record)
			}
		})
	}
}

// awaitDecisions waits until so many events have a decision.
func (w *world) awaitDecisions(count int) {
	w.t.Helper()
	client := w.client(schemas.DecisionsTopic)
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	decided := map[string]bool{}
	for len(decided) < count {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			if !record.Attrs.IsControl() {
				decided[string(record.Key)] = true
			}
		})
		if ctx.Err() != nil {
			w.t.Fatalf("%d of %d events are decided", len(decided), count)
		}
	}
}
