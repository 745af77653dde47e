package processor

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// trace begins the span of a decision below that of the event's receipt. An event without a traceparent is not traced:
// ingest decides that. A batch that is rolled back leaves the span of a decision that is made again.
func (d *decider) trace(record *kgo.Record, meta schemas.EventMeta) {
	d.span = nil
	if parent := schemas.ReadTrace(record.Headers); parent != "" {
		d.span = d.processor.config.Tracer.Start(trace.SpanKindConsumer, "processor decide", parent,
			attribute.String("millrace.event_id", meta.EventID), attribute.Int("millrace.partition", int(record.Partition)),
			attribute.Int64("millrace.offset", record.Offset))
	}
}

// runHeaders returns the headers of a run's record: none, unless the event is traced. The span of a run says that it was
// created; its deliveries stand below it.
func (d *decider) runHeaders(run rules.RunRecord) []kgo.RecordHeader {
	if d.span == nil {
		return nil
	}
	span := d.processor.config.Tracer.Start(trace.SpanKindProducer, "run", d.span.Parent(), attribute.String("millrace.run_id", run.RunID))
	defer span.End("")
	return schemas.WithTrace[kgo.RecordHeader](nil, span.Parent())
}

func (d *decider) endTrace() {
	problem := ""
	if d.decision.Status == schemas.Failed {
		problem = "a condition or a mapping failed"
	}
	d.span.End(problem, attribute.String("millrace.status", string(d.decision.Status)), attribute.Int("millrace.runs", len(d.decision.Runs)))
	d.span = nil
}
