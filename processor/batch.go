package processor

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// batch gathers what is written for the events of one poll. All of them see the same catalog.
type batch struct {
	processor *Processor
	catalog   *catalog.Snapshot
	decidedAt time.Time
	outputs   []*kgo.Record
	next      map[int32]int64 // by partition, the offset after the last event
}

func newBatch(p *Processor) *batch {
	snapshot := p.catalog.Snapshot()
	p.triggers.follow(snapshot)
	return &batch{
		processor: p, catalog: snapshot, next: map[int32]int64{},
		decidedAt: p.now().UTC().Truncate(time.Millisecond),
	}
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
	d := decision{
		Decision: schemas.Decision{
			Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
			ReceivedAt: meta.ReceivedAt, DecidedAt: b.decidedAt, Triggers: []schemas.TriggerDecision{},
			Input: schemas.Position{Partition: record.Partition, Offset: record.Offset},
		},
	}
	if duplicate {
		d.Status = schemas.Duplicate
		d.DuplicateOf = &schemas.Position{Partition: record.Partition, Offset: first}
	} else {
		d.consider(meta, record.Value, sourceName(b.catalog, meta.SourceID), p.triggers.bound(meta))
	}
	return b.write(d)
}

func sourceName(snapshot *catalog.Snapshot, id string) string {
	if source, found := snapshot.Source(id); found {
		return source.Name
	}
	return id
}

func (b *batch) write(d decision) error {
	value, err := schemas.Encode(d.Decision)
	if err != nil {
		return err
	}
	cluster := b.processor.kafka
	b.outputs = append(b.outputs, &kgo.Record{Topic: cluster.Topic(schemas.DecisionsTopic), Key: []byte(d.EventID), Value: value})
	for _, run := range d.runs {
		b.outputs = append(b.outputs, &kgo.Record{Topic: cluster.Topic(schemas.RunsTopic), Key: run.key, Value: run.value})
	}
	return nil
}
