package query

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// NameFilter says which event names are asked for. An empty member does not restrict.
type NameFilter struct {
	Source      string // ID
	Environment string
	Since       time.Time // zero for NamesSince ago
	Limit       int       // 1 to MaxLimit; 0 is DefaultLimit
	Cursor      string    // NextCursor of the page before
}

// NamesSince is how far names are looked for where nothing else is said: counting takes time with each event.
const NamesSince = 7 * 24 * time.Hour

// NamePage is a page of event names, those seen last first.
type NamePage struct {
	Items      []NameItem `json:"items"`
	NextCursor string     `json:"next_cursor"` // "" on the last page
}

// NameItem is an event name of one source in one environment.
type NameItem struct {
	Event       string    `json:"event"`
	SourceID    string    `json:"source_id"`
	Environment string    `json:"environment"`
	FirstSeen   time.Time `json:"first_seen"` // within the time that was asked for
	LastSeen    time.Time `json:"last_seen"`
	Count       uint64    `json:"count"`
}

// Names returns a page of the event names that were seen. A bad filter, and one that would take too long, is a
// *FilterError. A name that is seen again while somebody pages moves to the first page.
func (l *Log) Names(ctx context.Context, asked NameFilter) (NamePage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return NamePage{}, err
	}
	if err := checkRange(asked.Since, time.Time{}); err != nil {
		return NamePage{}, err
	}
	if asked.Since.IsZero() {
		asked.Since = time.Now().Add(-NamesSince)
	}
	after, err := parseNameCursor(asked.Cursor)
	if err != nil {
		return NamePage{}, err
	}
	items, err := l.nameItems(ctx, asked, after, size+1)
	if err != nil {
		return NamePage{}, err
	}
	page := NamePage{Items: items}
	if len(items) > size {
		page.Items = items[:size]
		page.NextCursor = nameCursor(items[size-1])
	}
	return page, nil
}

// nameItems counts.
func (l *Log) nameItems(ctx context.Context, asked NameFilter, after *NameItem, size int) ([]NameItem, error) {
	var where, having filter
	where.equals("environment", asked.Environment)
	where.equals("source_id", asked.Source)
	where.between("received_at", asked.Since, time.Time{})
	if after != nil {
		having.add("(last_seen, environment, source_id, event) < ("+moment("cursor_at")+","+
			" {cursor_environment:String}, {cursor_source:String}, {cursor_event:String})",
			millis("cursor_at", after.LastSeen), clickhouse.Named("cursor_environment", after.Environment),
			clickhouse.Named("cursor_source", after.SourceID), clickhouse.Named("cursor_event", after.Event))
	}
	rows, args, err := l.once(ctx, "event, source_id, environment, received_at", "events", &where)
	if err != nil {
		return nil, err
	}
	sql := "SELECT event, source_id, environment, min(received_at) AS first_seen, max(received_at) AS last_seen, count() FROM " +
		rows + " GROUP BY environment, source_id, event" + having.clause(" HAVING ") +
		" ORDER BY last_seen DESC, environment DESC, source_id DESC, event DESC LIMIT {size:UInt32}"
	args = append(append(args, having.args...), clickhouse.Named("size", size))
	items := []NameItem{}
	err = l.rows(ctx, "event names", sql, args, func(rows driver.Rows) error {
		var item NameItem
		err := rows.Scan(&item.Event, &item.SourceID, &item.Environment, &item.FirstSeen, &item.LastSeen, &item.Count)
		items = append(items, item)
		return err
	})
	return items, err
}

// nameCursor is the place of an item in the list of names.
func nameCursor(item NameItem) string {
	text, _ := json.Marshal([]any{string(nameList), item.LastSeen.UnixMilli(), item.Environment, item.SourceID, item.Event})
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseNameCursor(cursor string) (*NameItem, error) {
	if cursor == "" {
		return nil, nil
	}
	var of string
	var at int64
	var item NameItem
	parts := []any{&of, &at, &item.Environment, &item.SourceID, &item.Event}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	item.LastSeen = time.UnixMilli(at).UTC()
	if err != nil || len(parts) != 5 || of != string(nameList) || checkRange(item.LastSeen, time.Time{}) != nil {
		return nil, &FilterError{"cursor", "not a next_cursor of this list"}
	}
	return &item, nil
}
