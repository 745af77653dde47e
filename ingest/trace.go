package ingest

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// traced is take within a span, which stands below the sender's where there is one. The path is no attribute: it holds the
// endpoint's key.
func (i *Ingest) traced(ctx context.Context, c *fiber.Ctx) error {
	span := i.config.Tracer.Start(trace.SpanKindServer, "ingest receive", strings.Clone(c.Get("traceparent")))
	err := i.take(ctx, c, span)
	status, problem := c.Response().StatusCode(), ""
	if status >= fiber.StatusInternalServerError {
		problem = "the event was not stored"
	}
	span.End(problem, attribute.Int("http.response.status_code", status))
	return err
}
