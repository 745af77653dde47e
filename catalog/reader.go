package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	topic    string
	kafka    kafka.Config
	client   *kgo.Client
	logger   *slog.Logger
	follower *follower // of Run

	state   atomic.Pointer[state]
	changed atomic.Pointer[chan struct{}] // closed when state moves on
}

// state is how far a Reader is.
type state struct {
	snapshot *Snapshot
	next     int64       // offset after the last record in snapshot
	recent   recentNames // of the last changes in snapshot
	at       time.Time   // when snapshot was read; zero before the first
}

// NewReader connects to the catalog. Run must be called for it to read.
func NewReader(config kafka.Config, logger *slog.Logger) (*Reader, error) {
	topic := config.Topic(schemas.CatalogTopic)
	client, err := kgo.NewClient(append(config.Options(),
		telemetry.KafkaLogger(logger),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The end of a transaction takes an offset too: only with it can one know to have reached the end.
		kgo.KeepControlRecords(),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.MetadataMinAge(metadataMinAge), // a change is seen within a second, also after a refused fetch
	)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the catalog: %w", err)
	}
	r := &Reader{topic: topic, kafka: config, client: client, logger: logger, follower: newFollower(logger.With("topic", topic))}
	r.state.Store(&state{snapshot: r.follower.latest})
	r.changed.Store(new(make(chan struct{})))
	return r, nil
}

// Snapshot returns the catalog as last read. It never blocks. Before Ready it is empty.
func (r *Reader) Snapshot() *Snapshot { return r.state.Load().snapshot }

// IsRead reports whether the catalog has been read to its end once.
func (r *Reader) IsRead() bool { return !r.state.Load().at.IsZero() }

// Changed returns a channel that is closed when the catalog moves on from what Snapshot returns after the call.
func (r *Reader) Changed() <-chan struct{} { return *r.changed.Load() }

// Run reads until ctx ends, then closes the connection.
func (r *Reader) Run(ctx context.Context) error {
	defer r.client.Close()
	for {
		fetches := r.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		for _, failed := range fetches.Errors() {
			r.logger.Error("reading the catalog", "topic", r.topic, "error", r.kafka.Explain(failed.Err))
		}
		fetches.EachPartition(r.take)
	}
}

func (r *Reader) take(fetched kgo.FetchTopicPartition) {
	readable := fetched.LastStableOffset
	if readable < 0 { // a broker without transactions does not tell
		readable = fetched.HighWatermark
	}
	if len(fetched.Records) == 0 || !r.follower.add(fetched.Records, readable) {
		return
	}
	r.state.Store(&state{r.follower.latest, r.follower.next, r.follower.recent, time.Now()})
	close(*r.changed.Swap(new(make(chan struct{}))))
}

// Ready waits until everything that is in the topic now has been read. Run must be running.
func (r *Reader) Ready(ctx context.Context) error {
	ends, err := kadm.NewClient(r.client).ListCommittedOffsets(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("asking for the end of the catalog: %w", r.kafka.Explain(err))
	}
	end, found := ends.Lookup(r.topic, partition)
	if !found {
		return errors.New("asking for the end of the catalog: the topic does not exist")
	}
	if end.Err != nil {
		return fmt.Errorf("asking for the end of the catalog: %w", r.kafka.Explain(end.Err))
	}
	return r.wait(ctx, end.Offset)
}

// wait returns when every record below offset has been read.
func (r *Reader) wait(ctx context.Context, offset int64) error {
	for {
		changed := *r.changed.Load()
		if r.state.Load().next >= offset {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("reading the catalog up to offset %d: %w", offset, context.Cause(ctx))
		}
	}
}

// has reports whether a change of a moment ago is in the catalog.
func (r *Reader) has(changeID string) bool { return r.state.Load().recent.has(changeID) }
