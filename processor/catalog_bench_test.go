package processor

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// BenchmarkMatching asks what the catalog says about an event with ten triggers, in catalogs in which more and more
// triggers are about other events: of a name seen before, and of one that was not.
func BenchmarkMatching(b *testing.B) {
	for _, triggers := range []int{10, 1_000, 10_000} {
		reader, _, sourceID := catalogOf(b, triggers)
		known := &bindings{triggers: &compiledTriggers{logger: slog.New(slog.DiscardHandler)}}
		known.triggers.follow(reader.Snapshot())
		meta := schemas.EventMeta{Environment: "production", SourceID: sourceID, Event: "Event 0"}
		match := func(b *testing.B) {
			if got := known.of(meta); len(got.triggers) != 10 || got.source != "app" {
				b.Fatalf("%d triggers of %s", len(got.triggers), got.source)
			}
		}
		b.Run(fmt.Sprint("seen/triggers=", triggers), func(b *testing.B) {
			for b.Loop() {
				match(b)
			}
		})
		b.Run(fmt.Sprint("new/triggers=", triggers), func(b *testing.B) {
			for b.Loop() {
				clear(known.byEvent)
				match(b)
			}
		})
	}
}

// BenchmarkFollow takes a snapshot in which one trigger is another than before.
func BenchmarkFollow(b *testing.B) {
	for _, triggers := range []int{10, 1_000, 10_000} {
		reader, writer, _ := catalogOf(b, triggers)
		snapshots := []*catalog.Snapshot{reader.Snapshot()}
		id := snapshots[0].Triggers()[0].ID
		if _, err := writer.UpdateTrigger(b.Context(), id, func(*schemas.Trigger) error { return nil }); err != nil {
			b.Fatal(err)
		}
		snapshots = append(snapshots, reader.Snapshot())
		c := &compiledTriggers{logger: slog.New(slog.DiscardHandler)}
		c.follow(snapshots[1])
		b.Run(fmt.Sprint("triggers=", triggers), func(b *testing.B) {
			n := 0
			for b.Loop() {
				c.follow(snapshots[n%2])
				n++
			}
		})
	}
}

// catalogOf returns a catalog with that many triggers, ten for each event.
func catalogOf(b *testing.B, triggers int) (*catalog.Reader, *catalog.Writer, string) {
	b.Helper()
	_, cluster := rig.Fake(b)
	config := kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "bench",
		Topics: kafka.Settings{Partitions: 1, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(b.Context()); err != nil {
		b.Fatal(err)
	}
	reader, err := catalog.NewReader(config, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	writer, err := catalog.NewWriter(config, reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	b.Cleanup(func() {
		writer.Close()
		stop()
		<-ended
	})
	var sourceID string
	err = writer.Change(b.Context(), func(tx *catalog.Tx) error {
		if _, err := tx.PutEnvironment(schemas.Environment{Name: "production"}); err != nil {
			return err
		}
		source, err := tx.PutSource(schemas.Source{Name: "app"})
		sourceID = source.ID
		for i := 0; i < triggers && err == nil; i++ {
			_, err = tx.PutTrigger(schemas.Trigger{
				Environment: "production", SourceID: sourceID, Event: fmt.Sprint("Event ", i/10), Workflow: fmt.Sprint("workflow-", i%100),
				Condition: fmt.Sprintf(`data.total > %d && data.currency == "EUR"`, i),
			})
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return reader, writer, sourceID
}
