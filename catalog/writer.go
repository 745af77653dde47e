package catalog

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
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

// EnsureEnvironment creates an environment that does not exist yet and leaves one that does as it is.
func (w *Writer) EnsureEnvironment(ctx context.Context, environment schemas.Environment) error {
	return w.change(ctx, func(s *Snapshot) (*schemas.CatalogEntry, error) {
		if _, exists := s.Environment(environment.Name); exists {
			return nil, nil
		}
		if err := checkName("environment", environment.Name); err != nil {
			return nil, err
		}
		environment.Revision = 1
		return &schemas.CatalogEntry{Environment: &environment}, nil
	})
}

// CreateSource adds a source with one endpoint for each environment, the given ones completed: each gets its key.
// A name or setting that cannot be is an *InvalidError (several are joined).
func (w *Writer) CreateSource(ctx context.Context, source schemas.Source) (schemas.Source, error) {
	err := w.change(ctx, func(s *Snapshot) (*schemas.CatalogEntry, error) {
		source.ID, source.Revision, source.CreatedAt = newID(sourceIDPrefix), 1, w.time()
		given := source.Endpoints
		source.Endpoints = map[string]schemas.Endpoint{}
		for _, environment := range s.Environments() {
			source.Endpoints[environment.Name] = schemas.Endpoint{DedupWindow: schemas.DefaultWindow}
		}
		for environment, endpoint := range given {
			source.Endpoints[environment] = endpoint
		}
		for environment, endpoint := range source.Endpoints {
			endpoint.Key = newEndpointKey()
			source.Endpoints[environment] = endpoint
		}
		return &schemas.CatalogEntry{Source: &source}, checkSource(s, source)
	})
	return source, err
}

// UpdateSource lets edit change a copy of the source, which is then checked and saved. Its ID and creation time stay.
func (w *Writer) UpdateSource(ctx context.Context, id string, edit func(*schemas.Source) error) (schemas.Source, error) {
	var source schemas.Source
	err := w.change(ctx, func(s *Snapshot) (*schemas.CatalogEntry, error) {
		before, found := s.Source(id)
		if !found {
			return nil, fmt.Errorf("source %q: %w", id, ErrNotFound)
		}
		source = before
		source.Endpoints = cloneEndpoints(before.Endpoints)
		if err := edit(&source); err != nil {
			return nil, err
		}
		source.ID, source.CreatedAt, source.Revision = before.ID, before.CreatedAt, before.Revision+1
		return &schemas.CatalogEntry{Source: &source}, checkSource(s, source)
	})
	return source, err
}

// CreateTrigger adds a trigger, active unless it says otherwise. Its condition and mapping must have been compiled by
// the caller.
func (w *Writer) CreateTrigger(ctx context.Context, trigger schemas.Trigger) (schemas.Trigger, error) {
	err := w.change(ctx, func(s *Snapshot) (*schemas.CatalogEntry, error) {
		trigger.ID, trigger.Revision = newID(triggerIDPrefix), 1
		trigger.CreatedAt = w.time()
		trigger.UpdatedAt = trigger.CreatedAt
		if trigger.Status == "" {
			trigger.Status = schemas.TriggerActive
		}
		if source, found := s.Source(trigger.SourceID); found {
			trigger.SourceID = source.ID
		}
		return &schemas.CatalogEntry{Trigger: &trigger}, checkTrigger(s, trigger)
	})
	return trigger, err
}

// UpdateTrigger lets edit change a copy of the trigger, which is then checked and saved under the next revision.
func (w *Writer) UpdateTrigger(ctx context.Context, id string, edit func(*schemas.Trigger) error) (schemas.Trigger, error) {
	var trigger schemas.Trigger
	err := w.change(ctx, func(s *Snapshot) (*schemas.CatalogEntry, error) {
		before, found := s.Trigger(id)
		if !found {
			return nil, fmt.Errorf("trigger %q: %w", id, ErrNotFound)
		}
		trigger = before
		if err := edit(&trigger); err != nil {
			return nil, err
		}
		trigger.ID, trigger.CreatedAt, trigger.Revision = before.ID, before.CreatedAt, before.Revision+1
		trigger.UpdatedAt = w.time()
		return &schemas.CatalogEntry{Trigger: &trigger}, checkTrigger(s, trigger)
	})
	return trigger, err
}

// DeleteTrigger removes a trigger. What it started stays in the log.
func (w *Writer) DeleteTrigger(ctx context.Context, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reader.Ready(ctx); err != nil {
		return err
	}
	if _, found := w.reader.Snapshot().Trigger(id); !found {
		return fmt.Errorf("trigger %q: %w", id, ErrNotFound)
	}
	return w.write(ctx, triggerKey(id), nil)
}

// change reads the catalog to its end, asks decide what to write (nothing, when it returns nil), writes it and waits
// until the reader has it.
func (w *Writer) change(ctx context.Context, decide func(*Snapshot) (*schemas.CatalogEntry, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reader.Ready(ctx); err != nil {
		return err
	}
	entry, err := decide(w.reader.Snapshot())
	if err != nil || entry == nil {
		return err
	}
	entry.Schema = schemas.Version
	value, err := schemas.Encode(*entry)
	if err != nil {
		return err
	}
	return w.write(ctx, entryKey(*entry), value)
}

func (w *Writer) write(ctx context.Context, key string, value []byte) error {
	record := &kgo.Record{Topic: w.topic, Partition: partition, Key: []byte(key), Value: value}
	if err := w.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("writing %s to the catalog: %w", key, err)
	}
	return w.reader.wait(ctx, record.Offset+1)
}

// time is now in UTC and whole milliseconds, which is what a reader of the JSON gets back.
func (w *Writer) time() time.Time { return w.now().UTC().Truncate(time.Millisecond) }

// newID returns an ID that sorts after those made before it, so that what was made in the same millisecond keeps its
// order.
func newID(prefix string) string {
	return prefix + strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
}

// newEndpointKey returns 192 random bits in URL-safe letters.
func newEndpointKey() string {
	var key [24]byte
	rand.Read(key[:])
	return base64.RawURLEncoding.EncodeToString(key[:])
}

func cloneEndpoints(endpoints map[string]schemas.Endpoint) map[string]schemas.Endpoint {
	clone := make(map[string]schemas.Endpoint, len(endpoints))
	for environment, endpoint := range endpoints {
		clone[environment] = endpoint
	}
	return clone
}
