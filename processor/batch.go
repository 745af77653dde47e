package processor

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// recordsAtOnce is how many records are made room for together.
const recordsAtOnce = 64

// batch gathers what is written for events that are committed together. All of them see the same catalog, and
// partitions neither come nor go meanwhile.
type batch struct {
	processor *Processor
	decidedAt time.Time
	outputs   []*kgo.Record   // not taken yet
	records   []kgo.Record    // room for outputs
	bytes     int             // of all outputs
	next      map[int32]int64 // by partition, the offset after the last event
}

func newBatch(p *Processor) *batch {
	p.bindings.follow(p.catalog.Snapshot())
	return &batch{processor: p, next: map[int32]int64{}, decidedAt: p.now().UTC().Truncate(time.Millisecond)}
}

// addAll decides on the events of a poll, partition by partition.
func (b *batch) addAll(ctx context.Context, fetches kgo.Fetches) error {
	var failure error
	fetches.EachPartition(func(polled kgo.FetchTopicPartition) {
		if failure == nil && len(polled.Records) > 0 {
			failure = b.addPartition(ctx, polled.Partition, polled.Records)
		}
	})
	return failure
}

func (b *batch) addPartition(ctx context.Context, number int32, records []*kgo.Record) error {
	partition, err := b.processor.memory.of(number)
	if err != nil {
		return err
	}
	for _, record := range records {
		if err := b.add(ctx, partition, record); err != nil {
			return err
		}
	}
	b.next[number] = max(partition.settled, records[len(records)-1].Offset+1)
	return nil
}

// take returns what is to be written since the last call.
func (b *batch) take() []*kgo.Record {
	taken := b.outputs
	b.outputs = make([]*kgo.Record, 0, len(taken))
	return taken
}

// add decides on one record of the events topic.
func (b *batch) add(ctx context.Context, partition *remembered, record *kgo.Record) error {
	p := b.processor
	if record.Offset < partition.settled {
		p.logger.Warn("an event came again after its decision was committed; skipping it", "partition", record.Partition, "offset", record.Offset)
		return nil
	}
	meta, err := schemas.ReadEventMeta(record.Headers)
	if errors.Is(err, schemas.ErrNotAnEvent) {
		p.logger.Error("skipping a record that is no event; does something else write to the topic?",
			"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err)
		return nil
	}
	binding := p.bindings.of(meta)
	first, duplicate, err := p.memory.check(ctx, partition, record, meta, binding.window)
	if err != nil {
		return err
	}
	d := p.decision
	d.begin(schemas.Decision{
		Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
		ReceivedAt: meta.ReceivedAt, DecidedAt: b.decidedAt,
		Input: schemas.Position{Partition: record.Partition, Offset: record.Offset},
	})
	if duplicate {
		d.Status = schemas.Duplicate
		d.DuplicateOf = &schemas.Position{Partition: record.Partition, Offset: first}
	} else {
		d.consider(meta, record.Value, binding)
	}
	b.write(d)
	return nil
}

func (b *batch) write(d *decision) {
	p := b.processor
	record := d.blocks.keep(append(d.encode(), d.EventID...))
	value := len(record) - len(d.EventID)
	b.output(p.decisions, record[value:], record[:value:value])
	for _, run := range d.runs {
		b.output(p.runs, run.key, run.value)
	}
}

func (b *batch) output(topic string, key, value []byte) {
	if len(b.records) == cap(b.records) {
		b.records = make([]kgo.Record, 0, recordsAtOnce)
	}
	b.records = append(b.records, kgo.Record{Topic: topic, Key: key, Value: value})
	b.outputs = append(b.outputs, &b.records[len(b.records)-1])
	b.bytes += len(key) + len(value)
}
