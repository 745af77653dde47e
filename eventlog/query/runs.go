package query

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// RunStatus says how far a run got.
type RunStatus string

// The statuses of a run. A run that was delivered once stays delivered.
const (
	Pending   RunStatus = "pending" // no attempt yet
	Retrying            = RunStatus(schemas.Retrying)
	Delivered           = RunStatus(schemas.Delivered)
	Dead                = RunStatus(schemas.Dead)
	// Published is a run without an attempt in an environment that has no workflow API: it is in the runs topic, for others
	// to consume, and nobody is called about it.
	Published RunStatus = "published"
)

// statusOfAttempts is the status of a run, as an aggregate over its attempts.
const statusOfAttempts = "if(countIf(outcome = 'delivered') > 0, 'delivered', argMax(outcome, (attempted_at, attempt)))"

// RunFilter says which runs are asked for. An empty member does not restrict.
type RunFilter struct {
	Source      string // ID
	Environment string
	Workflow    string
	Status      RunStatus
	EventID     string
	Trigger     string    // ID
	Recipient   string    // ID of one of the recipients
	Tenant      string    // ID
	Replay      string    // ID of the replay that made it
	Since       time.Time // of received_at, as is Until
	Until       time.Time // excluded
	Limit       int       // 1 to MaxLimit; 0 is DefaultLimit
	Cursor      string    // NextCursor of the page before
	Uncalled    []string  // names of the environments without a workflow API, which the event log does not know
}

// RunPage is a page of runs, those of the newest events first.
type RunPage struct {
	Items      []RunItem `json:"items"`
	NextCursor string    `json:"next_cursor"` // "" on the last page
}

// RunItem is a run in a list. Its inputs are as the workflow API gets them; null where it gets none.
type RunItem struct {
	ID              string            `json:"id"`
	Workflow        string            `json:"workflow"`
	TriggerID       string            `json:"trigger_id"`
	EventID         string            `json:"event_id"`
	Environment     string            `json:"environment"`
	SourceID        string            `json:"source_id"`
	Recipients      []json.RawMessage `json:"recipients"`
	Actor           json.RawMessage   `json:"actor"`
	Tenant          json.RawMessage   `json:"tenant"`
	CancellationKey string            `json:"cancellation_key"`
	Data            json.RawMessage   `json:"data"`
	Status          RunStatus         `json:"status"`
	ReceivedAt      time.Time         `json:"received_at"` // of the event
	CreatedAt       time.Time         `json:"created_at"`
	ReplayID        string            `json:"replay_id,omitempty"`
}

// Runs returns a page of the runs that the filter describes. A bad filter is a *FilterError.
func (l *Log) Runs(ctx context.Context, asked RunFilter) (RunPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return RunPage{}, err
	}
	after, err := parseCursor(asked.Cursor, runList)
	if err != nil {
		return RunPage{}, err
	}
	where := func(since time.Time) (*filter, error) {
		asked.Since = since
		return asked.where(after)
	}
	items, err := newestFirst[RunItem]{l, "runs", "received_at", where, l.runItems}.page(ctx, asked.Since, newest(after, asked.Until), size+1)
	if err != nil {
		return RunPage{}, err
	}
	page := RunPage{Items: items}
	if len(items) > size {
		page.Items = items[:size]
		last := items[size-1]
		page.NextCursor = position{last.ReceivedAt, uuid.MustParse(last.ID)}.cursor(runList)
	}
	err = l.addRunStatuses(ctx, page.Items)
	MarkPublished(page.Items, asked.Uncalled)
	return page, err
}

// MarkPublished tells those of the pending runs that nobody is called about. uncalled are the names of the environments
// without a workflow API as they are now: a run that waited when its environment lost its API is told as published, too.
func MarkPublished(runs []RunItem, uncalled []string) {
	for i := range runs {
		if runs[i].Status == Pending && slices.Contains(uncalled, runs[i].Environment) {
			runs[i].Status = Published
		}
	}
}

func (f RunFilter) where(after position) (*filter, error) {
	if err := checkRange(f.Since, f.Until); err != nil {
		return nil, err
	}
	where := new(filter)
	where.equals("environment", f.Environment)
	where.equals("workflow", f.Workflow)
	if f.EventID != "" {
		id, err := uuid.Parse(f.EventID)
		if err != nil {
			return nil, &FilterError{"event_id", "not a UUID"}
		}
		where.add("event_id = {event_id:UUID}", clickhouse.Named("event_id", id.String()))
	}
	// The conditions so far hold for deliveries as well, and narrow them down. An attempt comes after its event, an hour of
	// differing clocks allowed for.
	attempts := filter{conditions: slices.Clone(where.conditions)}
	if !f.Since.IsZero() {
		const since = "fromUnixTimestamp64Milli({since:Int64}, 'UTC') - INTERVAL 1 HOUR"
		attempts.add("attempted_at >= " + since + " AND toStartOfHour(attempted_at) >= toStartOfHour(" + since + ")")
	}
	switch f.Status {
	case "":
	case Pending, Published:
		where.add("run_id NOT IN (SELECT run_id FROM deliveries" + attempts.sql() + ")")
		is := map[RunStatus]string{Pending: "NOT IN", Published: "IN"}[f.Status]
		where.add("environment "+is+" {uncalled:Array(String)}", clickhouse.Named("uncalled", slices.Concat([]string{}, f.Uncalled)))
	case Retrying, Delivered, Dead:
		where.add("run_id IN (SELECT run_id FROM deliveries"+attempts.sql()+" GROUP BY run_id HAVING "+statusOfAttempts+" = {status:String})",
			clickhouse.Named("status", string(f.Status)))
	default:
		return nil, &FilterError{"status", fmt.Sprintf("must be one of %s, %s, %s, %s, %s", Pending, Retrying, Delivered, Dead, Published)}
	}
	where.equals("source_id", f.Source)
	where.equals("trigger_id", f.Trigger)
	where.equals("tenant", f.Tenant)
	where.equals("replay_id", f.Replay)
	if f.Recipient != "" {
		where.add("has(recipient_ids, {recipient:String})", clickhouse.Named("recipient", f.Recipient))
	}
	where.between("received_at", f.Since, f.Until)
	where.before(after, "received_at", "run_id")
	return where, nil
}

// runItems reads runs without their status. As with events, LIMIT 1 BY drops the copies: a run that was made twice was
// made of the same event by the same rules.
func (l *Log) runItems(ctx context.Context, where *filter, size int) ([]RunItem, error) {
	items := []RunItem{}
	sql := "SELECT run_id, workflow, trigger_id, event_id, environment, source_id, request, received_at, created_at, replay_id FROM runs" +
		where.sql() + " ORDER BY received_at DESC, run_id DESC LIMIT 1 BY received_at, run_id LIMIT {size:UInt32}"
	err := l.rows(ctx, "runs", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		var item RunItem
		var id, eventID uuid.UUID
		var request string
		if err := rows.Scan(&id, &item.Workflow, &item.TriggerID, &eventID, &item.Environment, &item.SourceID, &request,
			&item.ReceivedAt, &item.CreatedAt, &item.ReplayID); err != nil {
			return err
		}
		item.ID, item.EventID = id.String(), eventID.String()
		if err := item.setInputs(request); err != nil {
			return err
		}
		items = append(items, item)
		return nil
	})
	return items, err
}

func (r *RunItem) setInputs(request string) error {
	var inputs schemas.RunRequest
	if err := json.Unmarshal([]byte(request), &inputs); err != nil {
		return fmt.Errorf("request of run %s: %w", r.ID, err)
	}
	r.Recipients, r.Actor, r.Tenant = inputs.Recipients, inputs.Actor, inputs.Tenant
	r.CancellationKey, r.Data = inputs.CancellationKey, inputs.Data
	return nil
}

// addRunStatuses adds how far the runs of a page got. An attempt comes after its event, an hour of differing clocks
// allowed for.
func (l *Log) addRunStatuses(ctx context.Context, items []RunItem) error {
	if len(items) == 0 {
		return nil
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	statuses := make(map[string]RunStatus)
	err := l.rows(ctx, "deliveries", "SELECT run_id, "+statusOfAttempts+" FROM deliveries WHERE run_id IN {ids:Array(UUID)}"+
		" AND "+notBefore("attempted_at", "since")+" GROUP BY run_id",
		[]any{clickhouse.Named("ids", ids), millis("since", items[len(items)-1].ReceivedAt.Add(-time.Hour))},
		func(rows driver.Rows) error {
			var id uuid.UUID
			var status string
			err := rows.Scan(&id, &status)
			statuses[id.String()] = RunStatus(status)
			return err
		})
	for i := range items {
		items[i].Status = Pending
		if status, ok := statuses[items[i].ID]; ok {
			items[i].Status = status
		}
	}
	return err
}
