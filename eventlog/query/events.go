package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// EventFilter says which events are asked for, and which page of them.
type EventFilter struct {
	Selection
	IDs      []string          // only these; up to MaxLimit
	Trigger  string            // ID: only events that it was asked about
	Outcomes []schemas.Outcome // only those that Trigger came to one of these with
	Limit    int               // 1 to MaxLimit; 0 is DefaultLimit
	Cursor   string            // NextCursor of the page before
}

// EventPage is a page of events, newest first.
type EventPage struct {
	Items      []EventItem `json:"items"`
	NextCursor string      `json:"next_cursor"` // "" on the last page
}

// EventItem is an event in a list.
type EventItem struct {
	ID          string         `json:"id"`
	SourceID    string         `json:"source_id"`
	Environment string         `json:"environment"`
	Event       string         `json:"event"`
	MessageID   string         `json:"message_id"`
	UserID      string         `json:"user_id"`
	ReceivedAt  time.Time      `json:"received_at"`
	Timestamp   time.Time      `json:"timestamp"`
	Status      schemas.Status `json:"status,omitempty"`    // absent while undecided
	DecidedAt   time.Time      `json:"decided_at,omitzero"` // likewise; an event by itself has it in its Decision
}

// Events returns a page of the events that the filter describes. A bad filter is a *FilterError, and what takes too much
// a *LimitError.
func (l *Log) Events(ctx context.Context, asked EventFilter) (EventPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return EventPage{}, err
	}
	after, err := parseCursor(asked.Cursor, eventList)
	if err != nil {
		return EventPage{}, err
	}
	items, err := l.newestEvents(ctx, asked, after, size+1)
	if err != nil {
		return EventPage{}, err
	}
	page := EventPage{Items: items}
	if len(items) > size {
		page.Items = items[:size]
		last := items[size-1]
		page.NextCursor = position{last.ReceivedAt, uuid.MustParse(last.ID)}.cursor(eventList)
	}
	return page, l.addStatuses(ctx, page.Items)
}

// newestEvents looks for a page. A message or an ID is found by its index.
func (l *Log) newestEvents(ctx context.Context, asked EventFilter, after position, size int) ([]EventItem, error) {
	since := asked.Since
	where := func(since time.Time) (*filter, error) {
		asked.Since = since
		return asked.events(after)
	}
	if asked.MessageID != "" || len(asked.IDs) > 0 {
		found, err := where(since)
		if err != nil {
			return nil, err
		}
		return l.eventItems(ctx, found, size)
	}
	return newestFirst[EventItem]{l, "events", "received_at", where, l.eventItems}.page(ctx, since, newest(after, asked.Until), size)
}

// events describes the events after the cursor.
func (asked EventFilter) events(after position) (*filter, error) {
	where, err := asked.where(func(f *filter) { f.before(after, "received_at", "event_id") })
	if err != nil {
		return nil, err
	}
	if err := where.events(asked.IDs); err != nil {
		return nil, err
	}
	if err := where.decidedBy(asked.Trigger, asked.Outcomes, asked.shared()); err != nil {
		return nil, err
	}
	return where, nil
}

// events restricts to the events of these IDs, which tell when they were received. None does not restrict.
func (f *filter) events(asked []string) error {
	if len(asked) == 0 {
		return nil
	}
	if len(asked) > MaxLimit {
		return &FilterError{"id", fmt.Sprintf("at most %d", MaxLimit)}
	}
	ids := make([]string, len(asked))
	var times []time.Time
	for i, text := range asked {
		id, err := uuid.Parse(text)
		if err != nil {
			return &FilterError{"id", "not a UUID"}
		}
		ids[i] = id.String()
		if at, ok := schemas.EventTime(id); ok {
			times = append(times, at)
		}
	}
	f.add("event_id IN {ids:Array(UUID)}", clickhouse.Named("ids", ids))
	if len(times) == len(ids) {
		f.around(slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare))
	}
	return nil
}

func checkStatus(status schemas.Status) error {
	known := []schemas.Status{"", schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed}
	if slices.Contains(known, status) {
		return nil
	}
	return &FilterError{"status", fmt.Sprintf("must be one of %s, %s, %s, %s", schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed)}
}

// eventColumns are what scanEvent reads.
const eventColumns = "event_id, source_id, environment, event, message_id, user_id, received_at, timestamp"

// scanEvent reads an event of a list, and what else was asked for.
func scanEvent(rows driver.Rows, more ...any) (EventItem, error) {
	var item EventItem
	var id uuid.UUID
	columns := []any{&id, &item.SourceID, &item.Environment, &item.Event, &item.MessageID, &item.UserID, &item.ReceivedAt, &item.Timestamp}
	err := rows.Scan(append(columns, more...)...)
	item.ID = id.String()
	return item, err
}

// eventItems reads events without their status. LIMIT 1 BY drops the copies of a row: they are equal, so it does not
// matter which one stays, and unlike FINAL it lets the table be read from its end and only as far as the page reaches.
func (l *Log) eventItems(ctx context.Context, where *filter, size int) ([]EventItem, error) {
	items := []EventItem{}
	sql := "SELECT " + eventColumns + " FROM events" + where.sql() +
		" ORDER BY received_at DESC, event_id DESC LIMIT 1 BY received_at, event_id LIMIT {size:UInt32}"
	err := l.rows(ctx, "events", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		item, err := scanEvent(rows)
		items = append(items, item)
		return err
	})
	return items, err
}

// addStatuses adds what was decided about the events of a page. The latest decision about an event stands.
func (l *Log) addStatuses(ctx context.Context, items []EventItem) error {
	if len(items) == 0 {
		return nil
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	byTime := func(a, b EventItem) int { return a.ReceivedAt.Compare(b.ReceivedAt) }
	oldest, newest := slices.MinFunc(items, byTime).ReceivedAt, slices.MaxFunc(items, byTime).ReceivedAt
	decided := make(map[string]EventItem)
	err := l.rows(ctx, "decisions", "SELECT event_id, argMax(status, decided_at), max(decided_at) FROM decisions WHERE event_id IN {ids:Array(UUID)}"+
		" AND replay_id = '' AND "+notBefore("received_at", "oldest")+" AND "+notAfter("received_at", "newest")+" GROUP BY event_id",
		[]any{clickhouse.Named("ids", ids), millis("oldest", oldest), millis("newest", newest)},
		func(rows driver.Rows) error {
			var id uuid.UUID
			var status string
			var at time.Time
			err := rows.Scan(&id, &status, &at)
			decided[id.String()] = EventItem{Status: schemas.Status(status), DecidedAt: at}
			return err
		})
	for i := range items {
		items[i].Status, items[i].DecidedAt = decided[items[i].ID].Status, decided[items[i].ID].DecidedAt
	}
	return err
}
