package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// ownMost bounds the runs that this process has delivered and not read from the topic yet. They are some hundred, unless
// reading fails; a run beyond the bound is known once its delivery has been read.
const ownMost = 1 << 16

// deliveredRetention is for how long it is known that a run was delivered: as long as its record is kept. It is longer
// than workflow APIs remember idempotency keys.
const deliveredRetention = schemas.InputRetention

// delivered is an index of the runs that were delivered, by any dispatcher. It follows the deliveries topic: every
// process knows all of it, so that it does not matter who had a run's partition before. An index that is lost is made
// anew from the topic. What this process itself delivers, it knows before Kafka does.
type delivered struct {
	client *kgo.Client
	topic  string
	logger *slog.Logger

	mu      sync.Mutex               // guards the fields below
	indexes map[int32]*dedup.Index   // by partition of the deliveries topic
	moved   chan struct{}            // closed when an index has grown
	own     map[schemas.Key]struct{} // runs that this process delivered, of which the record was not read yet
}

// openDelivered opens what is there. It knows what was delivered lately once catchUp returns; follow must be running.
func openDelivered(ctx context.Context, config Config, cluster kafka.Config, logger *slog.Logger) (*delivered, error) {
	client, err := kgo.NewClient(append(cluster.Options(), telemetry.KafkaLogger(logger),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("connecting to read the deliveries: %w", err)
	}
	d := &delivered{
		client: client, topic: cluster.Topic(schemas.DeliveriesTopic), logger: logger,
		indexes: map[int32]*dedup.Index{}, moved: make(chan struct{}), own: map[schemas.Key]struct{}{},
	}
	if err := d.open(ctx, config); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the index of delivered runs: %w", err), d.close())
	}
	return d, nil
}

func (d *delivered) open(ctx context.Context, config Config) error {
	admin := kadm.NewClient(d.client)
	topics, err := admin.ListTopics(ctx, d.topic)
	if err != nil {
		return err
	}
	detail := topics[d.topic]
	if detail.Err != nil || len(detail.Partitions) == 0 {
		return fmt.Errorf("topic %s does not exist (run `millrace topics`): %w", d.topic, detail.Err)
	}
	needed, err := admin.ListOffsetsAfterMilli(ctx, time.Now().Add(-deliveredRetention).UnixMilli(), d.topic)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, d.topic)
	if err != nil {
		return err
	}
	from := map[int32]kgo.Offset{}
	for number := range detail.Partitions {
		first, _ := needed.Lookup(d.topic, number)
		end, _ := ends.Lookup(d.topic, number)
		if err := errors.Join(first.Err, end.Err); err != nil {
			return err
		}
		index, err := dedup.Open(dedup.Options{
			Dir:   filepath.Join(config.deliveredDir(), d.topic, strconv.Itoa(int(number))),
			Topic: detail.ID, Partition: number, Retention: deliveredRetention, Logger: d.logger,
			Memory: max(config.DeliveredMemory/int64(len(detail.Partitions)), dedup.MinMemory),
		})
		if err != nil {
			return err
		}
		d.indexes[number] = index
		if err := trim(index, first.Offset, end.Offset); err != nil {
			return err
		}
		from[number] = kgo.NewOffset().At(index.Next())
	}
	d.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{d.topic: from})
	return nil
}

// trim empties an index that does not fit the log, and lets it begin where the log's part that is needed begins.
func trim(index *dedup.Index, needed, end int64) error {
	beginsLate := index.Next() > index.From() && index.From() > needed
	if beginsLate || index.Next() < needed || index.Next() > end {
		if err := index.Reset(); err != nil {
			return err
		}
	}
	index.Skip(needed)
	return nil
}

// follow notes what is delivered, until ctx ends.
func (d *delivered) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		fetches := d.client.PollFetches(ctx)
		for _, failed := range fetches.Errors() {
			if ctx.Err() != nil {
				break
			}
			d.logger.Warn("reading deliveries failed; trying again", "topic", failed.Topic, "partition", failed.Partition, "error", failed.Err)
		}
		if err := d.noteAll(fetches); err != nil {
			return &transientError{fmt.Errorf("noting delivered runs: %w", err)}
		}
	}
	return nil
}

func (d *delivered) noteAll(fetches kgo.Fetches) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var problem error
	fetches.EachRecord(func(record *kgo.Record) {
		index := d.indexes[record.Partition]
		if schemas.IsDelivered(record.Headers) {
			key := schemas.RunKey(string(record.Key))
			problem = errors.Join(problem, index.Note(key, record.Offset, record.Timestamp))
			delete(d.own, key)
		}
		index.Skip(record.Offset + 1)
	})
	close(d.moved)
	d.moved = make(chan struct{})
	return problem
}

// expect notes a run whose delivery is about to be written: a copy of the run may be read before the delivery is.
func (d *delivered) expect(runID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.own) < ownMost {
		d.own[schemas.RunKey(runID)] = struct{}{}
	}
}

// forget takes back that a delivery will be read: it was not written, and the run will be sent again.
func (d *delivered) forget(runID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.own, schemas.RunKey(runID))
}

// has reports whether a run was delivered.
func (d *delivered) has(runID string) (bool, error) {
	key := schemas.RunKey(runID)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, isOwn := d.own[key]; isOwn {
		return true, nil
	}
	for _, index := range d.indexes {
		if found, err := index.Has(key); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// catchUp returns when the index has everything that was delivered before the call.
func (d *delivered) catchUp(ctx context.Context) error {
	ends, err := kadm.NewClient(d.client).ListEndOffsets(ctx, d.topic)
	if err != nil {
		return fmt.Errorf("asking for the end of the deliveries: %w", err)
	}
	tell := time.NewTicker(5 * time.Second)
	defer tell.Stop()
	for {
		missing, moved, err := d.missing(ends)
		if err != nil || missing == 0 {
			return err
		}
		select {
		case <-moved:
		case <-tell.C:
			d.logger.Info("reading deliveries again to know which runs were delivered", "missing", missing)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// missing returns how many deliveries up to the ends are not noted yet, and what closes when there are fewer.
func (d *delivered) missing(ends kadm.ListedOffsets) (missing int64, moved <-chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for number, index := range d.indexes {
		end, _ := ends.Lookup(d.topic, number)
		if end.Err != nil {
			return 0, nil, fmt.Errorf("asking for the end of the deliveries of partition %d: %w", number, end.Err)
		}
		missing += max(end.Offset-index.Next(), 0)
	}
	return missing, d.moved, nil
}

func (d *delivered) close() error {
	d.client.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	var problems []error
	for _, index := range d.indexes {
		problems = append(problems, index.Close())
	}
	d.indexes = nil
	return errors.Join(problems...)
}
