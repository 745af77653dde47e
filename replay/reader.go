package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// The bounds on what is read and not done yet, over all partitions of a replay.
const (
	maxPending      = 50_000
	maxPendingBytes = 64 << 20
	fetchBytes      = 16 << 20
	partitionBytes  = 4 << 20
	pollWait        = 250 * time.Millisecond
)

// reader fills partitions with the events that a replay wants. Where the topic no longer has what comes next they are
// read from the event log, up to where the topic begins, and from there on from the topic: what is next is an offset, in
// both, so that there is no seam.
type reader struct {
	spec   *spec
	topic  string
	client *kgo.Client
	admin  *kadm.Client
	log    *query.Log
	logger *slog.Logger

	partitions map[int32]*partition
	failed     error // what was read and must not be passed over
}

func newReader(cluster kafka.Config, log *query.Log, s *spec, logger *slog.Logger) (*reader, error) {
	client, err := kgo.NewClient(append(cluster.Options(),
		telemetry.KafkaLogger(logger),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(partitionBytes),
		kgo.FetchMaxWait(pollWait),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		// They take offsets, too: without them, a partition that ends in one would seem to have more to come.
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to Kafka: %w", err)
	}
	return &reader{
		spec: s, topic: cluster.Topic(schemas.EventsTopic), client: client, admin: kadm.NewClient(client), log: log, logger: logger,
		partitions: map[int32]*partition{},
	}, nil
}

func (r *reader) close() { r.client.Close() }

// add begins to read a partition.
func (r *reader) add(p *partition) { r.partitions[p.number] = p }

// remove ends it.
func (r *reader) remove(number int32) {
	if p, found := r.partitions[number]; found {
		r.untail(p)
		delete(r.partitions, number)
	}
}

// read reads some more into the partitions, unless enough is waiting. It waits a little where there is nothing.
func (r *reader) read(ctx context.Context) error {
	if err := r.readStored(ctx); err != nil {
		return err
	}
	events, bytes, tailed := 0, 0, 0
	for _, p := range r.partitions {
		events, bytes = events+len(p.pending), bytes+p.bytes
		if p.isTailed {
			tailed++
		}
	}
	if tailed == 0 || events >= maxPending || bytes >= maxPendingBytes {
		return nil
	}
	return r.poll(ctx, maxPending-events, events > 0)
}

// tail reads a partition from Kafka from here on.
func (r *reader) tail(p *partition) {
	p.isTailed = true
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: {p.number: kgo.NewOffset().At(p.next)}})
}

// untail ceases to.
func (r *reader) untail(p *partition) {
	if p.isTailed {
		p.isTailed = false
		r.client.RemoveConsumePartitions(map[string][]int32{r.topic: {p.number}})
	}
}

// poll takes what Kafka has sent, and waits for it a little if there is nothing else to do.
func (r *reader) poll(ctx context.Context, atMost int, isBusy bool) error {
	var fetches kgo.Fetches
	if isBusy {
		fetches = r.client.PollRecords(nil, atMost) //nolint:staticcheck // nil is documented to mean: do not wait
	} else {
		waiting, cancel := context.WithTimeout(ctx, pollWait)
		fetches = r.client.PollRecords(waiting, atMost)
		cancel()
	}
	for _, failed := range fetches.Errors() {
		if err := r.explain(failed); err != nil {
			return err
		}
	}
	fetches.EachPartition(r.take)
	return r.failed
}

// explain decides on what went wrong with reading. What has left the topic meanwhile is read from the event log.
func (r *reader) explain(failed kgo.FetchError) error {
	switch p := r.partitions[failed.Partition]; {
	case errors.Is(failed.Err, context.DeadlineExceeded), errors.Is(failed.Err, context.Canceled):
		return nil
	case errors.Is(failed.Err, kerr.OffsetOutOfRange) && p != nil:
		r.untail(p)
		return nil
	case kerr.IsRetriable(failed.Err):
		r.logger.Warn("reading events fails, trying again", "partition", failed.Partition, "error", failed.Err)
		return nil
	}
	return fmt.Errorf("reading partition %d of %s: %w", failed.Partition, r.topic, failed.Err)
}

func (r *reader) take(fetched kgo.FetchTopicPartition) {
	p := r.partitions[fetched.Partition]
	if p == nil || !p.isTailed {
		return
	}
	for _, record := range fetched.Records {
		if record.Offset < p.next || record.Offset >= p.end {
			p.pass(record.Offset + 1)
			continue
		}
		e, wanted, err := r.wanted(record)
		if err != nil {
			r.failed = fmt.Errorf("reading the event at offset %d of %s partition %d: %w", record.Offset, record.Topic, record.Partition, err)
			return
		}
		if wanted {
			p.add(e)
		}
		p.pass(record.Offset + 1)
	}
	if p.isRead() {
		r.untail(p)
	}
}

// wanted reads the headers of a record. What is no event is passed over, as the processor did; an event of another version
// of Millrace is an error, and the replay waits for a process that reads it.
func (r *reader) wanted(record *kgo.Record) (event, bool, error) {
	if record.Attrs.IsControl() {
		return event{}, false, nil
	}
	meta, err := schemas.ReadEventMeta(record.Headers)
	if errors.Is(err, schemas.ErrNotAnEvent) {
		return event{}, false, nil
	}
	if err != nil {
		return event{}, false, err
	}
	return event{EventMeta: meta, offset: record.Offset, body: record.Value}, r.spec.wants(meta), nil
}
