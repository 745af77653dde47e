package dispatcher

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/millrace/millrace/schemas"
)

// complaints keeps a failing workflow API from filling the log. What is left out is in the deliveries topic.
type complaints struct {
	retry rate.Sometimes
	dead  rate.Sometimes
}

func newComplaints() *complaints {
	return &complaints{
		retry: rate.Sometimes{First: 1, Interval: time.Minute},
		dead:  rate.Sometimes{First: 10, Interval: time.Second},
	}
}

// report writes down what came of an attempt: for everybody in Kafka, for the operator in the log.
func (c *courier) report(j *job, v *visit, delivery schemas.Delivery, wait time.Duration) {
	c.records.delivery(j, delivery)
	switch delivery.Outcome {
	case schemas.Delivered:
		c.log(j.partition.calls, slog.LevelDebug, "run delivered", delivery)
	case schemas.Retrying:
		c.complaints.retry.Do(func() {
			c.log(j.partition.calls, slog.LevelWarn, "runs are waiting for a workflow API", delivery, slog.Duration("next_attempt_in", wait))
		})
	case schemas.Dead:
		c.records.deadLetter(j, delivery, v.attempts)
		c.complaints.dead.Do(func() { c.log(j.partition.calls, slog.LevelError, "a run is a dead letter", delivery) })
	}
}

func (c *courier) log(ctx context.Context, level slog.Level, message string, delivery schemas.Delivery, more ...slog.Attr) {
	if !c.logger.Enabled(ctx, level) {
		return
	}
	c.logger.LogAttrs(ctx, level, message, append(more,
		slog.String("run_id", delivery.RunID),
		slog.String("event_id", delivery.EventID),
		slog.String("environment", delivery.Environment),
		slog.String("workflow", delivery.Workflow),
		slog.Int("attempt", delivery.Attempt),
		slog.Int("status", delivery.StatusCode),
		slog.String("error", delivery.Error))...)
}
