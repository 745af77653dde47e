package query

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// RunDetail is a run with every attempt to deliver it.
type RunDetail struct {
	RunItem
	Attempts []Attempt `json:"attempts"` // oldest first
}

// Attempt is one attempt to start a run at the workflow API.
type Attempt struct {
	RunID         string                  `json:"run_id"`
	Attempt       int                     `json:"attempt"` // counts from 1
	Outcome       schemas.DeliveryOutcome `json:"outcome"`
	AttemptedAt   time.Time               `json:"attempted_at"`
	LatencyMs     float64                 `json:"latency_ms"`
	StatusCode    int                     `json:"status_code,omitempty"` // absent when there was no answer
	Error         string                  `json:"error,omitempty"`
	Response      string                  `json:"response,omitempty"`        // first 4 KiB of an answer that is not 2xx
	WorkflowRunID string                  `json:"workflow_run_id,omitempty"` // what the workflow API called the run
}

// Run returns one run with its attempts. It fails with ErrNotFound when there is none, and with a *FilterError when the
// ID is not a UUID.
func (l *Log) Run(ctx context.Context, id string) (RunDetail, error) {
	runID, err := uuid.Parse(id)
	if err != nil {
		return RunDetail{}, &FilterError{"id", "not a UUID"}
	}
	where := new(filter)
	where.add("run_id = {id:UUID}", clickhouse.Named("id", runID.String()))
	items, err := l.runItems(ctx, where, 1)
	if err != nil {
		return RunDetail{}, err
	}
	if len(items) == 0 {
		return RunDetail{}, fmt.Errorf("run %s: %w", runID, ErrNotFound)
	}
	attempts, err := l.attempts(ctx, where, items[0].ReceivedAt)
	if err != nil {
		return RunDetail{}, err
	}
	if err := l.addRunStatuses(ctx, items); err != nil {
		return RunDetail{}, err
	}
	return RunDetail{items[0], attempts}, nil
}

// consequences reads the runs of an event and the attempts to deliver them.
func (l *Log) consequences(ctx context.Context, event EventItem) ([]RunItem, []Attempt, error) {
	runs, err := l.runItems(ctx, ofEvent(event), MaxLimit)
	if err != nil {
		return nil, nil, err
	}
	if err := l.addRunStatuses(ctx, runs); err != nil {
		return nil, nil, err
	}
	where := new(filter)
	where.add("event_id = {id:UUID}", clickhouse.Named("id", event.ID))
	attempts, err := l.attempts(ctx, where, event.ReceivedAt)
	return runs, attempts, err
}

// maxAttempts bounds how many attempts are shown: a run has some dozens in its 20 hours.
const maxAttempts = 2000

// attempts reads deliveries, oldest first, of an event received at the given time. LIMIT 1 BY drops the copies of a
// record; an attempt that was made twice is two records and two attempts.
func (l *Log) attempts(ctx context.Context, where *filter, received time.Time) ([]Attempt, error) {
	attempts := []Attempt{}
	where.add(notBefore("attempted_at", "since"), millis("since", received.Add(-time.Hour)))
	where.args = append(where.args, clickhouse.Named("size", maxAttempts))
	sql := "SELECT run_id, attempt, outcome, attempted_at, latency_ms, status_code, error, response, workflow_run_id FROM deliveries" +
		where.sql() + " ORDER BY attempted_at, run_id, attempt, topic, partition, offset LIMIT 1 BY topic, partition, offset LIMIT {size:UInt32}"
	err := l.rows(ctx, "deliveries", sql, where.args, func(rows driver.Rows) error {
		var attempt Attempt
		var id uuid.UUID
		var number uint32
		var code uint16
		var outcome string
		err := rows.Scan(&id, &number, &outcome, &attempt.AttemptedAt, &attempt.LatencyMs, &code, &attempt.Error, &attempt.Response, &attempt.WorkflowRunID)
		attempt.RunID, attempt.Attempt, attempt.StatusCode = id.String(), int(number), int(code)
		attempt.Outcome = schemas.DeliveryOutcome(outcome)
		attempts = append(attempts, attempt)
		return err
	})
	return attempts, err
}
