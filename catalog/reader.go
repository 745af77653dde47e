package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// partition is the catalog's only one: its changes have a total order.
const partition = 0

// Reader follows the catalog topic.
type Reader struct {
	topic  string
	client *kgo.Client
	logger *slog.Logger

	snapshot atomic.Pointer[Snapshot]
	next     atomic.Int64                  // offset after the last record in snapshot
	changed  atomic.Pointer[chan struct{}] // closed when snapshot or next moves on
}

// NewReader connects to the catalog. Run must be called for it to read.
func NewReader(config kafka.Config, logger *slog.Logger) (*Reader, error) {
	topic := config.Topic(schemas.CatalogTopic)
	client, err := kgo.NewClient(append(config.Options(),
		telemetry.KafkaLogger(logger),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(250*time.Millisecond),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the catalog: %w", err)
	}
	r := &Reader{topic: topic, client: client, logger: logger}
	r.snapshot.Store(newSnapshot(nil))
	r.changed.Store(new(make(chan struct{})))
	return r, nil
}

// Snapshot returns the catalog as last read. It never blocks. Before Ready it is incomplete.
func (r *Reader) Snapshot() *Snapshot { return r.snapshot.Load() }

// Run reads until ctx ends, then closes the connection.
func (r *Reader) Run(ctx context.Context) error {
	defer r.client.Close()
	for {
		fetches := r.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		for _, failed := range fetches.Errors() {
			r.logger.Error("reading the catalog", "topic", r.topic, "error", failed.Err)
		}
		if fetches.NumRecords() > 0 {
			r.apply(fetches)
		}
	}
}

// apply adds a batch of records to the snapshot. A record that cannot be read is skipped: the other entries must
// still work, and the error names the one that does not.
func (r *Reader) apply(fetches kgo.Fetches) {
	entries := maps.Clone(r.Snapshot().entries)
	next := r.next.Load()
	fetches.EachRecord(func(record *kgo.Record) {
		next = record.Offset + 1
		key := string(record.Key)
		if record.Value == nil {
			delete(entries, key)
			return
		}
		entry, err := decodeEntry(key, record.Value)
		if err != nil {
			r.logger.Error("skipping a catalog record", "topic", r.topic, "offset", record.Offset, "key", key, "error", err)
			return
		}
		entries[key] = entry
	})
	r.snapshot.Store(newSnapshot(entries))
	r.next.Store(next)
	close(*r.changed.Swap(new(make(chan struct{}))))
}

// Ready waits until everything that is in the topic now has been read. Run must be running.
func (r *Reader) Ready(ctx context.Context) error {
	ends, err := kadm.NewClient(r.client).ListEndOffsets(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("asking for the end of the catalog: %w", err)
	}
	end, found := ends.Lookup(r.topic, partition)
	if !found {
		return errors.New("asking for the end of the catalog: the topic does not exist")
	}
	if end.Err != nil {
		return fmt.Errorf("asking for the end of the catalog: %w", end.Err)
	}
	return r.wait(ctx, end.Offset)
}

// wait returns when every record below offset has been read.
func (r *Reader) wait(ctx context.Context, offset int64) error {
	for {
		changed := *r.changed.Load()
		if r.next.Load() >= offset {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("reading the catalog up to offset %d: %w", offset, context.Cause(ctx))
		}
	}
}
