package query

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// DeadLetterDetail is a dead letter with what was sent, what was answered, and every attempt, those since included.
type DeadLetterDetail struct {
	DeadLetterItem
	Response string          `json:"response"` // first 4 KiB of the last answer
	Request  json.RawMessage `json:"request"`  // body of the call
	Attempts []Attempt       `json:"attempts"` // oldest first
}

// DeadLetter returns the newest dead letter of a run. It fails with ErrNotFound when there is none, and with a
// *FilterError when the ID is not a UUID.
func (l *Log) DeadLetter(ctx context.Context, runID string) (DeadLetterDetail, error) {
	id, err := uuid.Parse(runID)
	if err != nil {
		return DeadLetterDetail{}, &FilterError{"run_id", "not a UUID"}
	}
	where := new(filter)
	where.add("run_id = {id:UUID}", clickhouse.Named("id", id.String()))
	items, err := l.deadLetterItems(ctx, where, 1)
	if err != nil {
		return DeadLetterDetail{}, err
	}
	if len(items) == 0 {
		return DeadLetterDetail{}, fmt.Errorf("dead letter of run %s: %w", id, ErrNotFound)
	}
	if err := l.addDeadLetterStates(ctx, items); err != nil {
		return DeadLetterDetail{}, err
	}
	detail := DeadLetterDetail{DeadLetterItem: items[0]}
	err = l.rows(ctx, "dead letters", "SELECT response, request FROM dead_letters"+where.sql()+" ORDER BY last_attempted_at DESC LIMIT 1",
		where.args, func(rows driver.Rows) error {
			var request string
			err := rows.Scan(&detail.Response, &request)
			detail.Request = json.RawMessage(request)
			return err
		})
	if err != nil {
		return DeadLetterDetail{}, err
	}
	detail.Attempts, err = l.attempts(ctx, where, detail.ReceivedAt)
	return detail, err
}

// DeadRun is a run that was given up, as it was.
type DeadRun struct {
	Letter schemas.DeadLetter // without its attempts
	State  DeadLetterState
}

// DeadRuns returns those of the runs that have a dead letter, in no particular order: all that is needed to send them
// again. IDs that are no UUIDs are a *FilterError.
func (l *Log) DeadRuns(ctx context.Context, runIDs []string) ([]DeadRun, error) {
	ids := make([]string, len(runIDs))
	for i, text := range runIDs {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, &FilterError{fmt.Sprintf("run_ids[%d]", i), "not a UUID"}
		}
		ids[i] = id.String()
	}
	states, err := l.deadLetterStates(ctx, ids)
	if err != nil || len(states) == 0 {
		return nil, err
	}
	var runs []DeadRun
	sql := "SELECT run_id, environment, source_id, workflow, trigger_id, trigger_revision, event_id, received_at, created_at, replay_id," +
		" request, key FROM dead_letters WHERE run_id IN {ids:Array(UUID)} ORDER BY last_attempted_at DESC LIMIT 1 BY run_id"
	err = l.rows(ctx, "dead letters", sql, []any{clickhouse.Named("ids", ids)}, func(rows driver.Rows) error {
		run := schemas.Run{Schema: schemas.Version}
		var id, eventID uuid.UUID
		var request, key string
		err := rows.Scan(&id, &run.Environment, &run.SourceID, &run.Workflow, &run.TriggerID, &run.TriggerRevision, &eventID,
			&run.ReceivedAt, &run.CreatedAt, &run.ReplayID, &request, &key)
		run.RunID, run.EventID, run.Request = id.String(), eventID.String(), json.RawMessage(request)
		if state, known := states[run.RunID]; known {
			runs = append(runs, DeadRun{schemas.DeadLetter{Schema: schemas.Version, Run: run, Key: key}, state})
		}
		return err
	})
	return runs, err
}
