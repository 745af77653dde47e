package query

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// DeadLetterState says what became of a run after it was given up. It is read from the deliveries, each time.
type DeadLetterState string

// The states of a dead letter.
const (
	Open     DeadLetterState = "open"      // nothing happened since
	Resent   DeadLetterState = "resent"    // it was tried again since, and that goes on
	Resolved DeadLetterState = "delivered" // the workflow API has taken the run
)

// DeadLetterFilter says which dead letters are asked for. An empty member does not restrict.
type DeadLetterFilter struct {
	Environment string
	Source      string // ID
	Workflow    string
	State       DeadLetterState
	StatusCode  *int      // of the last answer; 0 where there was none
	Text        string    // in the error or the answer, without regard to case
	Since       time.Time // when the run was given up
	Until       time.Time // excluded
	Limit       int       // 1 to MaxLimit; 0 is DefaultLimit
	Cursor      string    // NextCursor of the page before
}

// DeadLetterPage is a page of dead letters, newest first. A run is there once, however often it died.
type DeadLetterPage struct {
	Items      []DeadLetterItem `json:"items"`
	NextCursor string           `json:"next_cursor"` // "" on the last page
}

// DeadLetterItem is a run that was given up.
type DeadLetterItem struct {
	RunID            string            `json:"run_id"`
	EventID          string            `json:"event_id"`
	Environment      string            `json:"environment"`
	SourceID         string            `json:"source_id"`
	Workflow         string            `json:"workflow"`
	TriggerID        string            `json:"trigger_id"`
	Recipients       []json.RawMessage `json:"recipients"`
	State            DeadLetterState   `json:"state"`
	Error            string            `json:"error"`
	StatusCode       int               `json:"status_code,omitempty"` // absent when there was no answer
	Attempt          int               `json:"attempt"`               // number of the last attempt
	FirstAttemptedAt time.Time         `json:"first_attempted_at"`
	LastAttemptedAt  time.Time         `json:"last_attempted_at"`
	ReceivedAt       time.Time         `json:"received_at"` // of the event
	CreatedAt        time.Time         `json:"created_at"`  // of the run
}

// DeadLetters returns a page of the dead letters that the filter describes. A bad filter is a *FilterError.
func (l *Log) DeadLetters(ctx context.Context, asked DeadLetterFilter) (DeadLetterPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return DeadLetterPage{}, err
	}
	where, err := asked.where()
	if err != nil {
		return DeadLetterPage{}, err
	}
	items, err := l.deadLetterItems(ctx, where, size+1)
	if err != nil {
		return DeadLetterPage{}, err
	}
	page := DeadLetterPage{Items: items}
	if len(items) > size {
		page.Items = items[:size]
		last := items[size-1]
		page.NextCursor = position{last.LastAttemptedAt, uuid.MustParse(last.RunID)}.cursor(deadLetterList)
	}
	return page, l.addDeadLetterStates(ctx, page.Items)
}

// maxStatusCode is the largest number that three digits hold.
const maxStatusCode = 999

func (f DeadLetterFilter) where() (*filter, error) {
	after, err := parseCursor(f.Cursor, deadLetterList)
	if err != nil {
		return nil, err
	}
	if err := oneOf("state", string(f.State), string(Open), string(Resent), string(Resolved)); err != nil {
		return nil, err
	}
	if err := checkRange(f.Since, f.Until); err != nil {
		return nil, err
	}
	where := new(filter)
	where.equals("environment", f.Environment)
	where.equals("source_id", f.Source)
	where.equals("workflow", f.Workflow)
	where.between("last_attempted_at", f.Since, time.Time{})
	// The conditions so far hold for all letters of a run or for its newest one above all: they narrow the others down.
	letters := filter{conditions: slices.Clone(where.conditions)}
	where.add("(run_id, last_attempted_at) IN (SELECT run_id, max(last_attempted_at) FROM dead_letters" + letters.sql() + " GROUP BY run_id)")
	if f.State != "" {
		where.add("run_id IN (SELECT run_id FROM ("+statesOf(letters)+") WHERE state = {state:String})", clickhouse.Named("state", string(f.State)))
	}
	where.between("last_attempted_at", time.Time{}, f.Until)
	if f.StatusCode != nil {
		if *f.StatusCode < 0 || *f.StatusCode > maxStatusCode {
			return nil, &FilterError{"status_code", "must be 0, for none, to " + strconv.Itoa(maxStatusCode)}
		}
		where.add("status_code = {status_code:UInt16}", clickhouse.Named("status_code", *f.StatusCode))
	}
	if f.Text != "" {
		where.add("(positionCaseInsensitiveUTF8(error, {text:String}) > 0 OR positionCaseInsensitiveUTF8(response, {text:String}) > 0)",
			clickhouse.Named("text", f.Text))
	}
	where.before(after, "last_attempted_at", "run_id")
	return where, nil
}

// statesOf tells the state of each run among the dead letters. Of the deliveries only what came after the oldest event is
// read, an hour of differing clocks allowed for. A run that was delivered once stays delivered.
func statesOf(letters filter) string {
	from := " FROM dead_letters" + letters.sql()
	return "SELECT run_id, multiIf(delivered > 0, 'delivered', tried > died, 'resent', 'open') AS state" +
		" FROM (SELECT run_id, max(last_attempted_at) AS died" + from + " GROUP BY run_id) AS letters" +
		" LEFT JOIN (SELECT run_id, countIf(outcome = 'delivered') AS delivered, max(attempted_at) AS tried FROM deliveries" +
		" WHERE run_id IN (SELECT run_id" + from + ") AND attempted_at >= (SELECT min(received_at) - INTERVAL 1 HOUR" + from + ")" +
		" GROUP BY run_id) AS tries USING run_id"
}

// deadLetterItems reads dead letters without their state. As with events, LIMIT 1 BY drops the copies of a row.
func (l *Log) deadLetterItems(ctx context.Context, where *filter, size int) ([]DeadLetterItem, error) {
	items := []DeadLetterItem{}
	sql := "SELECT run_id, event_id, environment, source_id, workflow, trigger_id, error, status_code, attempt," +
		" first_attempted_at, last_attempted_at, received_at, created_at, JSONExtractArrayRaw(request, 'recipients') FROM dead_letters" + where.sql() +
		" ORDER BY last_attempted_at DESC, run_id DESC LIMIT 1 BY last_attempted_at, run_id LIMIT {size:UInt32}"
	err := l.rows(ctx, "dead letters", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		var item DeadLetterItem
		var id, eventID uuid.UUID
		var code uint16
		var attempt uint32
		var recipients []string
		err := rows.Scan(&id, &eventID, &item.Environment, &item.SourceID, &item.Workflow, &item.TriggerID, &item.Error, &code, &attempt,
			&item.FirstAttemptedAt, &item.LastAttemptedAt, &item.ReceivedAt, &item.CreatedAt, &recipients)
		item.Recipients = make([]json.RawMessage, len(recipients))
		for i, recipient := range recipients {
			item.Recipients[i] = json.RawMessage(recipient)
		}
		item.RunID, item.EventID, item.StatusCode, item.Attempt = id.String(), eventID.String(), int(code), int(attempt)
		items = append(items, item)
		return err
	})
	return items, err
}

func (l *Log) addDeadLetterStates(ctx context.Context, items []DeadLetterItem) error {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.RunID
	}
	states, err := l.deadLetterStates(ctx, ids)
	for i := range items {
		items[i].State = states[items[i].RunID]
	}
	return err
}

// deadLetterStates returns the states of those of the runs that have a dead letter.
func (l *Log) deadLetterStates(ctx context.Context, runIDs []string) (map[string]DeadLetterState, error) {
	states := make(map[string]DeadLetterState)
	if len(runIDs) == 0 {
		return states, nil
	}
	sql := statesOf(filter{conditions: []string{"run_id IN {ids:Array(UUID)}"}})
	err := l.rows(ctx, "deliveries", sql, []any{clickhouse.Named("ids", runIDs)}, func(rows driver.Rows) error {
		var id uuid.UUID
		var state string
		err := rows.Scan(&id, &state)
		states[id.String()] = DeadLetterState(state)
		return err
	})
	return states, err
}
