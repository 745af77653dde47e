package catalog_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// fill puts sources and triggers into the catalog in one change: of each event name there are ten triggers.
func fill(tb testing.TB, writer *catalog.Writer, triggers int) (sourceID string) {
	tb.Helper()
	err := writer.Change(tb.Context(), func(tx *catalog.Tx) error {
		source, err := tx.PutSource(schemas.Source{Name: "app"})
		if err != nil {
			return err
		}
		sourceID = source.ID
		for i := range triggers {
			if _, err := tx.PutTrigger(sizedTrigger(sourceID, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return sourceID
}

// sizedTrigger is about as large as people's triggers are.
func sizedTrigger(sourceID string, i int) schemas.Trigger {
	return schemas.Trigger{
		Environment: "production", SourceID: sourceID, Event: fmt.Sprint("Event ", i/10), Workflow: fmt.Sprint("workflow-", i%100),
		Description: "Tells the buyer that the order has been taken, and what comes next.",
		Condition:   `data.total > 100 && data.currency == "EUR" && context.locale != nil`,
		Mapping: schemas.Mapping{Recipients: json.RawMessage(`{"expr":"user_id ?? anonymous_id"}`), Data: map[string]json.RawMessage{
			"order": json.RawMessage(`"data.order_id"`), "total": json.RawMessage(`"data.total"`), "currency": json.RawMessage(`"data.currency"`),
		}},
	}
}

// scaled returns a catalog with that many triggers.
func scaled(tb testing.TB, triggers int) (config kafka.Config, reader *catalog.Reader, writer *catalog.Writer, sourceID string) {
	tb.Helper()
	config = newCluster(tb)
	reader = follow(tb, config)
	writer = newWriter(tb, config, reader, catalog.WriterOptions{})
	if err := writer.EnsureEnvironment(tb.Context(), schemas.Environment{Name: "production"}); err != nil {
		tb.Fatal(err)
	}
	return config, reader, writer, fill(tb, writer, triggers)
}

func TestTenThousandTriggersAreOneChange(t *testing.T) {
	config, reader, writer, sourceID := scaled(t, 10_000)
	late := follow(t, config)
	if err := late.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*catalog.Reader{reader, late} {
		if got, bound := len(r.Snapshot().Triggers()), len(r.Snapshot().Bound("production", sourceID, "Event 999")); got != 10_000 || bound != 10 {
			t.Errorf("%d triggers, %d bound to the last event", got, bound)
		}
	}
	err := writer.Change(t.Context(), func(tx *catalog.Tx) error { return tx.RenameEnvironment("production", "live") })
	if err != nil {
		t.Fatal(err)
	}
	if got := len(reader.Snapshot().Bound("live", sourceID, "Event 999")); got != 10 {
		t.Errorf("after the environment was renamed, %d are bound", got)
	}
}

// TestTenThousandTriggersAreOneBatch is the same where one process writes.
func TestTenThousandTriggersAreOneBatch(t *testing.T) {
	config := newCluster(t)
	reader := follow(t, config)
	writer := newWriter(t, config, reader, catalog.WriterOptions{SingleProcess: true})
	if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: "production"}); err != nil {
		t.Fatal(err)
	}
	fill(t, writer, 10_000)
	if got := len(reader.Snapshot().Triggers()); got != 10_000 {
		t.Errorf("%d triggers", got)
	}
}

// BenchmarkBound asks which triggers an event concerns, ten each time, and finds an endpoint by its key.
func BenchmarkBound(b *testing.B) {
	for _, triggers := range []int{10, 1_000, 10_000} {
		_, reader, _, sourceID := scaled(b, triggers)
		source, _ := reader.Snapshot().Source(sourceID)
		key := source.Endpoints["production"].Key
		b.Run(fmt.Sprint("triggers=", triggers), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := reader.Snapshot().Bound("production", sourceID, "Event 0"); len(got) != 10 {
					b.Fatal(len(got))
				}
			}
		})
		b.Run(fmt.Sprint("endpoint/triggers=", triggers), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, known := reader.Snapshot().Endpoint(key); !known {
					b.Fatal("not found")
				}
			}
		})
	}
}

// BenchmarkStart is how long a process waits for a catalog.
func BenchmarkStart(b *testing.B) {
	for _, triggers := range []int{10, 10_000, 100_000} {
		config, _, _, _ := scaled(b, triggers)
		b.Run(fmt.Sprint("triggers=", triggers), func(b *testing.B) {
			for b.Loop() {
				if err := follow(b, config).Ready(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChange changes one trigger until the reader has it.
func BenchmarkChange(b *testing.B) {
	for _, triggers := range []int{10, 10_000, 100_000} {
		_, reader, writer, _ := scaled(b, triggers)
		id := reader.Snapshot().Triggers()[0].ID
		b.Run(fmt.Sprint("triggers=", triggers), func(b *testing.B) {
			for b.Loop() {
				if _, err := writer.UpdateTrigger(b.Context(), id, func(*schemas.Trigger) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFill makes all triggers in one change.
func BenchmarkFill(b *testing.B) {
	for _, triggers := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint("triggers=", triggers), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				config := newCluster(b)
				reader := follow(b, config)
				writer := newWriter(b, config, reader, catalog.WriterOptions{})
				if err := writer.EnsureEnvironment(b.Context(), schemas.Environment{Name: "production"}); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				fill(b, writer, triggers)
			}
		})
	}
}

// BenchmarkSpread changes one of 10,000 triggers until another process's reader has it.
func BenchmarkSpread(b *testing.B) {
	config, reader, writer, _ := scaled(b, 10_000)
	other := follow(b, config)
	id := reader.Snapshot().Triggers()[0].ID
	for b.Loop() {
		changed, err := writer.UpdateTrigger(b.Context(), id, func(*schemas.Trigger) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		if err := other.Ready(b.Context()); err != nil {
			b.Fatal(err)
		}
		if got, _ := other.Snapshot().Trigger(id); got.Revision != changed.Revision {
			b.Fatalf("revision %d, want %d", got.Revision, changed.Revision)
		}
	}
}
