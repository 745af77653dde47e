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

// EventFilter says which events are asked for. An empty member does not restrict.
type EventFilter struct {
	Source      string // ID
	Environment string
	Event       string // name
	Status      schemas.Status
	MessageID   string
	UserID      string
	Limit       int    // 1 to MaxLimit; 0 is DefaultLimit
	Cursor      string // NextCursor of the page before
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
	Status      schemas.Status `json:"status,omitempty"` // absent while undecided
}

// Events returns a page of the events that the filter describes. A bad filter is a *FilterError.
func (l *Log) Events(ctx context.Context, asked EventFilter) (EventPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return EventPage{}, err
	}
	after, err := parseCursor(asked.Cursor, eventList)
	if err != nil {
		return EventPage{}, err
	}
	if err := checkStatus(asked.Status); err != nil {
		return EventPage{}, err
	}
	items, err := l.eventItems(ctx, asked.where(after), size+1)
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

func checkStatus(status schemas.Status) error {
	known := []schemas.Status{"", schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed}
	if slices.Contains(known, status) {
		return nil
	}
	return &FilterError{"status", fmt.Sprintf("must be one of %s, %s, %s, %s", schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed)}
}

func (f EventFilter) where(after position) *filter {
	where := new(filter)
	where.equals("environment", f.Environment)
	where.equals("source_id", f.Source)
	where.equals("event", f.Event)
	where.before(after, "received_at", "event_id")
	if f.Status != "" {
		// The conditions so far hold for decisions as well, and narrow them down.
		decided := filter{conditions: slices.Clone(where.conditions)}
		decided.add("replay_id = '' AND status = {status:String}")
		where.add("event_id IN (SELECT event_id FROM decisions FINAL"+decided.sql()+")", clickhouse.Named("status", string(f.Status)))
	}
	where.equals("message_id", f.MessageID)
	where.equals("user_id", f.UserID)
	return where
}

// eventItems reads events without their status. LIMIT 1 BY drops the copies of a row: they are equal, so it does not
// matter which one stays, and unlike FINAL it lets the table be read from its end and only as far as the page reaches.
func (l *Log) eventItems(ctx context.Context, where *filter, size int) ([]EventItem, error) {
	items := []EventItem{}
	sql := "SELECT event_id, source_id, environment, event, message_id, user_id, received_at, timestamp FROM events" + where.sql() +
		" ORDER BY received_at DESC, event_id DESC LIMIT 1 BY received_at, event_id LIMIT {size:UInt32}"
	err := l.rows(ctx, "events", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		var item EventItem
		var id uuid.UUID
		err := rows.Scan(&id, &item.SourceID, &item.Environment, &item.Event, &item.MessageID, &item.UserID, &item.ReceivedAt, &item.Timestamp)
		item.ID = id.String()
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
	statuses := make(map[string]schemas.Status)
	err := l.rows(ctx, "decisions", "SELECT event_id, argMax(status, decided_at) FROM decisions WHERE event_id IN {ids:Array(UUID)}"+
		" AND replay_id = '' AND received_at BETWEEN fromUnixTimestamp64Milli({oldest:Int64}, 'UTC') AND fromUnixTimestamp64Milli({newest:Int64}, 'UTC')"+
		" GROUP BY event_id",
		[]any{clickhouse.Named("ids", ids), millis("oldest", items[len(items)-1].ReceivedAt), millis("newest", items[0].ReceivedAt)},
		func(rows driver.Rows) error {
			var id uuid.UUID
			var status string
			err := rows.Scan(&id, &status)
			statuses[id.String()] = schemas.Status(status)
			return err
		})
	for i := range items {
		items[i].Status = statuses[items[i].ID]
	}
	return err
}
