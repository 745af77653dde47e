package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// memory holds the dedup index of each partition that this process owns, and what is committed. A partition that is
// assigned is not read before its index is complete: what it lacks is read from the topic again, in the background,
// while the other partitions go on.
type memory struct {
	config  Config
	kafka   kafka.Config
	catalog *catalog.Reader
	stopped *stoppedPartitions
	logger  *slog.Logger

	mu         sync.Mutex // guards the fields below
	partitions map[int32]*remembered
	hasJoined  bool // whether the group has assigned anything, be it nothing, since the session began
}

// remembered is a partition that is assigned.
type remembered struct {
	ctx   context.Context // ends when the partition leaves
	leave context.CancelFunc
	ready chan struct{} // closed when nobody is working on index in the background any more

	index     *dedup.Index // nil until it is complete; then the loop's
	retention time.Duration
	settled   int64 // the offset after the last committed one
	hasBegun  bool  // whether a record was checked
	progress  progress
	size      size
}

func newRemembered(ctx context.Context) *remembered {
	r := &remembered{ready: make(chan struct{})}
	r.ctx, r.leave = context.WithCancel(ctx)
	return r
}

func newMemory(config Config, cluster kafka.Config, reader *catalog.Reader, stopped *stoppedPartitions, logger *slog.Logger) *memory {
	return &memory{
		config: config, kafka: cluster, catalog: reader, stopped: stopped, logger: logger, partitions: map[int32]*remembered{},
	}
}

// assigned pauses partitions and completes their indexes in the background; then they are read. It is a callback of the
// client, and ctx ends with the client.
func (m *memory) assigned(ctx context.Context, client *kgo.Client, assigned map[string][]int32) {
	client.PauseFetchPartitions(assigned)
	for _, numbers := range assigned {
		m.forget(numbers) // nothing, unless the client lost them without a word
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hasJoined = true
	for _, numbers := range assigned {
		for _, number := range numbers {
			r := newRemembered(ctx)
			m.partitions[number] = r
			go m.remember(client, number, r)
		}
	}
}

// remember completes a partition's index, however often it takes, and lets the client read the partition.
func (m *memory) remember(client *kgo.Client, number int32, r *remembered) {
	defer close(r.ready)
	pause := backoff.NewExponentialBackOff()
	for {
		err := m.open(r.ctx, number, r)
		if err == nil {
			if _, isStopped := m.stopped.list()[number]; !isStopped {
				client.ResumeFetchPartitions(m.topicPartition(number))
			}
			return
		}
		if r.ctx.Err() != nil {
			return
		}
		if isFinal(err) {
			m.stopped.stop(number, err)
			return
		}
		wait := pause.NextBackOff()
		m.logger.Error("the dedup index cannot be completed; the partition waits", "partition", number, "again_in", wait.Round(time.Millisecond), "error", err)
		if !waited(r.ctx, wait) {
			return
		}
	}
}

func (m *memory) topicPartition(number int32) map[string][]int32 {
	return map[string][]int32{m.kafka.Topic(schemas.EventsTopic): {number}}
}

// revoked closes the indexes of partitions that leave. It is a callback of the client.
func (m *memory) revoked(_ context.Context, _ *kgo.Client, revoked map[string][]int32) {
	for _, numbers := range revoked {
		m.forget(numbers)
	}
}

// close closes every index, at the end of a session: the next one is assigned its partitions anew.
func (m *memory) close() {
	m.mu.Lock()
	m.hasJoined = false
	numbers := slices.Collect(maps.Keys(m.partitions))
	m.mu.Unlock()
	m.forget(numbers)
}

func (m *memory) forget(numbers []int32) {
	for _, number := range numbers {
		m.mu.Lock()
		r, found := m.partitions[number]
		delete(m.partitions, number)
		m.mu.Unlock()
		if !found {
			continue
		}
		r.leave()
		<-r.ready
		if r.index == nil {
			continue
		}
		if err := r.index.Close(); err != nil {
			m.logger.Error("closing the dedup index", "partition", number, "error", err)
		}
	}
}

// of returns an assigned partition whose index is complete.
func (m *memory) of(number int32) (*remembered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, found := m.partitions[number]
	if !found || r.index == nil {
		return nil, fmt.Errorf("partition %d was read before its dedup index is complete", number)
	}
	return r, nil
}

// settle notes, by partition, that what lies below the offset is committed.
func (m *memory) settle(next map[int32]int64) {
	for number, offset := range next {
		if r, err := m.of(number); err == nil {
			r.settled = offset
			r.index.Settle(offset)
			r.size.note(r.index)
		}
	}
}

// check reports whether the event of a partition repeats one within the window before it, and the offset of the first
// of them.
func (m *memory) check(ctx context.Context, r *remembered, record *kgo.Record, meta schemas.EventMeta, window time.Duration) (int64, bool, error) {
	if err := m.begin(ctx, r, record); err != nil {
		return 0, false, err
	}
	r.index.Skip(record.Offset) // offsets that are missing in the log, if any: all records before have been noted
	if meta.MessageID == "" {
		r.index.Skip(record.Offset + 1)
		return 0, false, nil
	}
	if window > r.retention-clockSkew {
		return 0, false, errors.New("a dedup window was made longer than what the index remembers; completing it anew")
	}
	return r.index.Check(keyOf(record), record.Offset, meta.ReceivedAt, window)
}

// keyOf returns the key of an event with a message ID. Ingest made it the record's key; to hash it out of the headers once
// more would take a third of a check.
func keyOf(record *kgo.Record) schemas.Key {
	if len(record.Key) == len(schemas.Key{}) {
		return schemas.Key(record.Key)
	}
	meta, _ := schemas.ReadEventMeta(record.Headers) // they were read before
	return meta.Key()
}

// begin makes sure, at the first record of an assignment, that nothing lies between it and what the index knows: the
// group's position may have been moved by a transaction that was still under way when the index asked for it.
func (m *memory) begin(ctx context.Context, r *remembered, first *kgo.Record) error {
	if r.hasBegun {
		return nil
	}
	r.hasBegun = true
	if r.index.Next() >= first.Offset {
		return nil
	}
	again, err := m.reread(first.Partition)
	if err != nil {
		return err
	}
	defer again.client.Close()
	return m.complete(ctx, again, r.index, span{r.index.Next(), first.Offset}, &r.progress)
}

// window returns the dedup window of the event's endpoint, 0 for off.
func window(snapshot *catalog.Snapshot, meta schemas.EventMeta) time.Duration {
	source, found := snapshot.Source(meta.SourceID)
	if !found {
		return time.Duration(schemas.DefaultWindow)
	}
	endpoint, found := source.Endpoints[meta.Environment]
	if !found {
		return time.Duration(schemas.DefaultWindow)
	}
	return time.Duration(endpoint.DedupWindow)
}

// longestWindow returns the longest dedup window that an endpoint has, or that one has by default.
func longestWindow(snapshot *catalog.Snapshot) time.Duration {
	longest := schemas.DefaultWindow
	for _, source := range snapshot.Sources() {
		for _, endpoint := range source.Endpoints {
			longest = max(longest, endpoint.DedupWindow)
		}
	}
	return time.Duration(longest)
}
