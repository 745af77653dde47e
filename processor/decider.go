package processor

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// recordsAtOnce is how many records are made room for together.
const recordsAtOnce = 64

// decider decides on one event after the other. What it needs for that is used again for the next.
type decider struct {
	processor *Processor
	bindings  bindings
	decision  decision
	records   []kgo.Record    // room for outputs
	tally     tally           // of the piece in hand
	span      *telemetry.Span // of the decision; nil where it is not traced
}

// decideAll decides on records of one partition and returns how many bytes it wrote.
func (d *decider) decideAll(ctx context.Context, b *batch, partition *remembered, records []*kgo.Record) (int, error) {
	bytes := 0
	for _, record := range records {
		isDecided, err := d.decide(ctx, b, partition, record)
		if err != nil {
			return bytes, err
		}
		if isDecided {
			bytes += d.write(b)
			d.tally.note(&d.decision)
		}
	}
	return bytes, nil
}

// decide makes the decision on one record of the events topic, unless it has one or is no event.
func (d *decider) decide(ctx context.Context, b *batch, partition *remembered, record *kgo.Record) (bool, error) {
	p := d.processor
	if record.Offset < partition.settled {
		p.logger.Warn("an event came again after its decision was committed; skipping it", "partition", record.Partition, "offset", record.Offset)
		return false, nil
	}
	meta, err := schemas.ReadEventMeta(record.Headers)
	if schemas.IsOtherVersion(err) {
		return false, &foreignError{record.Offset, err}
	}
	if errors.Is(err, schemas.ErrNotAnEvent) {
		p.logger.Error("skipping a record that is no event; does something else write to the topic?",
			"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err)
		return false, nil
	}
	if p.config.Tracer != nil {
		d.trace(record, meta)
	}
	binding := d.bindings.of(meta)
	first, duplicate, err := p.memory.check(ctx, partition, record, meta, binding.window)
	if err != nil {
		return false, err
	}
	d.decision.Begin(schemas.Decision{
		Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
		ReceivedAt: meta.ReceivedAt, DecidedAt: b.decidedAt,
		Input: schemas.Position{Partition: record.Partition, Offset: record.Offset},
	})
	if duplicate {
		d.decision.Status = schemas.Duplicate
		d.decision.DuplicateOf = &schemas.Position{Partition: record.Partition, Offset: first}
	} else {
		d.tally.rules += d.decision.consider(meta, record.Value, binding)
	}
	return true, nil
}

// write writes the decision and its runs and returns their size.
func (d *decider) write(b *batch) int {
	key, value := d.decision.Record()
	bytes := d.output(b, d.processor.decisions, key, value, nil)
	for _, run := range d.decision.Runs {
		bytes += d.output(b, d.processor.runs, run.Key, run.Value, d.runHeaders(run))
	}
	if d.span != nil {
		d.endTrace()
	}
	return bytes
}

func (d *decider) output(b *batch, topic string, key, value []byte, headers []kgo.RecordHeader) int {
	if len(d.records) == cap(d.records) {
		d.records = make([]kgo.Record, 0, recordsAtOnce)
	}
	d.records = append(d.records, kgo.Record{Topic: topic, Key: key, Value: value, Headers: headers, Timestamp: b.decidedAt})
	b.produce(&d.records[len(d.records)-1])
	return len(key) + len(value)
}
