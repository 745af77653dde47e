package dispatcher

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/millrace/millrace/schemas"
)

// start makes one call, within a span below that of the run where that is traced; the workflow API is told of the span.
func (c *courier) start(j *job, to Destination, delivery *schemas.Delivery) answer {
	if c.config.Tracer == nil {
		return c.starters[to.Kind].start(j.partition.calls, to, j.run, "")
	}
	parent := schemas.ReadTrace(j.record.Headers)
	if parent == "" {
		return c.starters[to.Kind].start(j.partition.calls, to, j.run, "")
	}
	span := c.config.Tracer.Start(trace.SpanKindClient, "dispatcher attempt", parent,
		attribute.String("millrace.run_id", j.run.RunID), attribute.String("millrace.event_id", j.run.EventID),
		attribute.String("millrace.environment", j.run.Environment), attribute.String("millrace.workflow", j.run.Workflow),
		attribute.Int("millrace.attempt", delivery.Attempt))
	got := c.starters[to.Kind].start(j.partition.calls, to, j.run, span.Parent())
	span.End(got.reason(), attribute.Int("http.response.status_code", got.status))
	return got
}
