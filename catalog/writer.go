package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// ErrNotFound says that what should be changed does not exist.
var ErrNotFound = errors.New("not found")

// InUseError says why something cannot be removed, and what to do first.
type InUseError struct{ Message string }

func (e *InUseError) Error() string { return e.Message }

// actorKey is where a context holds the actor.
type actorKey struct{}

// WithActor names who is behind the changes that are made with the context.
func WithActor(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, actorKey{}, name)
}

// actor returns who is behind a change.
func actor(ctx context.Context) string {
	if name, isNamed := ctx.Value(actorKey{}).(string); isNamed {
		return name
	}
	return "system"
}

// IDs are a prefix and a UUIDv7 without dashes.
const (
	sourceIDPrefix  = "src_"
	triggerIDPrefix = "trg_"
)

// Writer changes the catalog, one change at a time. Each change is checked against everything written before it, and
// its method returns when the Reader has it. Two Writers on one catalog are not protected from each other.
type Writer struct {
	reader *Reader
	client *kgo.Client
	topic  string
	now    func() time.Time

	mu sync.Mutex // held over read, check and write, so that no change is lost
}

// NewWriter returns a writer on top of a reader that is running. Close it after use.
func NewWriter(config kafka.Config, reader *Reader, logger *slog.Logger) (*Writer, error) {
	client, err := kgo.NewClient(append(config.Options(),
		telemetry.KafkaLogger(logger),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RecordDeliveryTimeout(10*time.Second),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the catalog: %w", err)
	}
	return &Writer{reader: reader, client: client, topic: config.Topic(schemas.CatalogTopic), now: time.Now}, nil
}

// Close ends the connection.
func (w *Writer) Close() { w.client.Close() }

// Change lets put change a Tx and writes what came of it: all of it or, with an error of put, nothing. put may be called
// again, where another writer was faster. Who is behind the change stands in the audit log, see WithActor.
func (w *Writer) Change(ctx context.Context, put func(*Tx) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reader.Ready(ctx); err != nil {
		return err
	}
	tx := newTx(w, w.reader.Snapshot())
	if err := put(tx); err != nil {
		return err
	}
	return w.write(ctx, tx)
}

func (w *Writer) write(ctx context.Context, tx *Tx) error {
	var records []*kgo.Record
	for _, key := range tx.changed {
		record := &kgo.Record{Topic: w.topic, Partition: partition, Key: []byte(key)}
		if entry, exists := tx.entries[key]; exists {
			value, err := schemas.Encode(entry)
			if err != nil {
				return err
			}
			record.Value = value
		}
		records = append(records, record)
	}
	if len(records) == 0 {
		return nil
	}
	if err := w.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("writing %s to the catalog: %w", tx.changed[0], err)
	}
	return w.reader.wait(ctx, records[len(records)-1].Offset+1)
}

// EnsureEnvironment creates an environment that does not exist yet and leaves one that does as it is.
func (w *Writer) EnsureEnvironment(ctx context.Context, environment schemas.Environment) error {
	return w.Change(ctx, func(tx *Tx) error {
		if _, exists := tx.Snapshot().Environment(environment.Name); exists {
			return nil
		}
		_, err := tx.PutEnvironment(environment)
		return err
	})
}

// CreateSource adds a source. See Tx.PutSource.
func (w *Writer) CreateSource(ctx context.Context, source schemas.Source) (created schemas.Source, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		source.ID = ""
		created, err = tx.PutSource(source)
		return err
	})
	return created, err
}

// UpdateSource lets edit change a copy of the source, which is found by ID or name, and saves it.
func (w *Writer) UpdateSource(ctx context.Context, idOrName string, edit func(*schemas.Source) error) (updated schemas.Source, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		source, found := tx.Snapshot().Source(idOrName)
		if !found {
			return fmt.Errorf("source %q: %w", idOrName, ErrNotFound)
		}
		source.Endpoints = maps.Clone(source.Endpoints)
		if err := edit(&source); err != nil {
			return err
		}
		updated, err = tx.PutSource(source)
		return err
	})
	return updated, err
}

// CreateTrigger adds a trigger. See Tx.PutTrigger.
func (w *Writer) CreateTrigger(ctx context.Context, trigger schemas.Trigger) (created schemas.Trigger, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		trigger.ID = ""
		created, err = tx.PutTrigger(trigger)
		return err
	})
	return created, err
}

// UpdateTrigger lets edit change a copy of the trigger and saves it.
func (w *Writer) UpdateTrigger(ctx context.Context, id string, edit func(*schemas.Trigger) error) (updated schemas.Trigger, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		trigger, found := tx.Snapshot().Trigger(id)
		if !found {
			return fmt.Errorf("trigger %q: %w", id, ErrNotFound)
		}
		if err := edit(&trigger); err != nil {
			return err
		}
		updated, err = tx.PutTrigger(trigger)
		return err
	})
	return updated, err
}

// DeleteTrigger removes a trigger. See Tx.DeleteTrigger.
func (w *Writer) DeleteTrigger(ctx context.Context, id string) error {
	return w.Change(ctx, func(tx *Tx) error { return tx.DeleteTrigger(id) })
}

// time is now in UTC and whole milliseconds, which is what a reader of the JSON gets back.
func (w *Writer) time() time.Time { return w.now().UTC().Truncate(time.Millisecond) }

// newID returns an ID that sorts after those made before it, so that what was made in the same millisecond keeps its
// order.
func newID(prefix string) string {
	return prefix + strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
}
