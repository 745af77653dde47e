package processor

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// batch gathers what is written for events that are committed together. All of them see the same catalog.
type batch struct {
	processor *Processor
	catalog   *catalog.Snapshot
	decidedAt time.Time
	outputs   []*kgo.Record   // not taken yet
	bytes     int             // of all outputs
	next      map[int32]int64 // by partition, the offset after the last event
	sources   map[string]string
	scratch   decision
}

func newBatch(p *Processor) *batch {
	snapshot := p.catalog.Snapshot()
	p.triggers.follow(snapshot)
	return &batch{
		processor: p, catalog: snapshot, next: map[int32]int64{}, sources: map[string]string{},
		decidedAt: p.now().UTC().Truncate(time.Millisecond),
	}
}

// addAll decides on the events of a poll, partition by partition.
func (b *batch) addAll(ctx context.Context, fetches kgo.Fetches) error {
	for records := fetches.RecordIter(); !records.Done(); {
		if err := b.add(ctx, records.Next()); err != nil {
			return err
		}
	}
	return nil
}

// take returns what is to be written since the last call.
func (b *batch) take() []*kgo.Record {
	taken := b.outputs
	b.outputs = make([]*kgo.Record, 0, len(taken))
	return taken
}

// add decides on one record of the events topic.
func (b *batch) add(ctx context.Context, record *kgo.Record) error {
	p := b.processor
	if p.memory.isSettled(record) {
		p.logger.Warn("an event came again after its decision was committed; skipping it", "partition", record.Partition, "offset", record.Offset)
		return nil
	}
	b.next[record.Partition] = record.Offset + 1
	meta, err := schemas.ReadEventMeta(record.Headers)
	if errors.Is(err, schemas.ErrNotAnEvent) {
		p.logger.Error("skipping a record that is no event; does something else write to the topic?",
			"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err)
		return nil
	}
	first, duplicate, err := p.memory.check(ctx, record, meta, b.catalog)
	if err != nil {
		return err
	}
	d := &b.scratch
	d.begin(schemas.Decision{
		Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
		ReceivedAt: meta.ReceivedAt, DecidedAt: b.decidedAt,
		Input: schemas.Position{Partition: record.Partition, Offset: record.Offset},
	})
	if duplicate {
		d.Status = schemas.Duplicate
		d.DuplicateOf = &schemas.Position{Partition: record.Partition, Offset: first}
	} else {
		d.consider(meta, record.Value, b.sourceName(meta.SourceID), p.triggers.bound(meta))
	}
	b.write(d)
	return nil
}

func (b *batch) sourceName(id string) string {
	name, known := b.sources[id]
	if known {
		return name
	}
	name = id
	if source, found := b.catalog.Source(id); found {
		name = source.Name
	}
	b.sources[id] = name
	return name
}

func (b *batch) write(d *decision) {
	p := b.processor
	b.output(p.decisions, []byte(d.EventID), d.encode())
	for _, run := range d.runs {
		b.output(p.runs, run.key, run.value)
	}
}

func (b *batch) output(topic string, key, value []byte) {
	b.outputs = append(b.outputs, &kgo.Record{Topic: topic, Key: key, Value: value})
	b.bytes += len(key) + len(value)
}
