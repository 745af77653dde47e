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

// AuditFilter says which changes of the catalog are asked for. An empty member does not restrict.
type AuditFilter struct {
	Kind     string // environment, source, trigger or replay
	Resource string // ID, or the name at the time of the change
	Actor    string
	Action   schemas.Action
	Since    time.Time
	Until    time.Time // excluded
	Limit    int       // 1 to MaxLimit; 0 is DefaultLimit
	Cursor   string    // NextCursor of the page before
}

// AuditPage is a page of changes, newest first.
type AuditPage struct {
	Items      []AuditItem `json:"items"`
	NextCursor string      `json:"next_cursor"` // "" on the last page
}

// AuditItem is one change of one thing of the catalog.
type AuditItem struct {
	ID         string          `json:"id"`
	ChangeID   string          `json:"change_id"` // what one request changed together shares it
	At         time.Time       `json:"at"`
	Actor      string          `json:"actor"`
	Action     schemas.Action  `json:"action"`
	Kind       string          `json:"kind"`
	ResourceID string          `json:"resource_id"`
	Name       string          `json:"name"`
	Revision   int64           `json:"revision"`
	Before     json.RawMessage `json:"before"` // null where it was created
	After      json.RawMessage `json:"after"`  // null where it was deleted
}

// Audit returns a page of the changes that the filter describes. A bad filter is a *FilterError.
func (l *Log) Audit(ctx context.Context, asked AuditFilter) (AuditPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return AuditPage{}, err
	}
	where, err := asked.where()
	if err != nil {
		return AuditPage{}, err
	}
	items, err := l.auditItems(ctx, where, size+1)
	if err != nil {
		return AuditPage{}, err
	}
	page := AuditPage{Items: items}
	if len(items) > size {
		page.Items = items[:size]
		last := items[size-1]
		page.NextCursor = position{last.At, uuid.MustParse(last.ID)}.cursor(auditList)
	}
	return page, nil
}

func (f AuditFilter) where() (*filter, error) {
	after, err := parseCursor(f.Cursor, auditList)
	if err != nil {
		return nil, err
	}
	if err := oneOf("kind", f.Kind, "environment", "source", "trigger", "replay"); err != nil {
		return nil, err
	}
	if err := oneOf("action", string(f.Action), string(schemas.Created), string(schemas.Updated), string(schemas.Deleted)); err != nil {
		return nil, err
	}
	if err := checkRange(f.Since, f.Until); err != nil {
		return nil, err
	}
	where := new(filter)
	where.equals("kind", f.Kind)
	where.equals("actor", f.Actor)
	where.equals("action", string(f.Action))
	if f.Resource != "" {
		where.add("(resource_id = {resource:String} OR name = {resource:String})", clickhouse.Named("resource", f.Resource))
	}
	where.between("at", f.Since, f.Until)
	where.before(after, "at", "audit_id")
	return where, nil
}

// oneOf refuses a value that is neither empty nor known.
func oneOf(field, value string, known ...string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return &FilterError{field, fmt.Sprintf("must be one of %q", known)}
}

// checkRange refuses times that cannot be in the log, and ranges that end before they begin.
func checkRange(since, until time.Time) error {
	for field, at := range map[string]time.Time{"since": since, "until": until} {
		if !at.IsZero() && (at.Year() < 1970 || at.Year() > 2105) {
			return &FilterError{field, "must lie between 1970 and 2105"}
		}
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return &FilterError{"until", "must be later than since"}
	}
	return nil
}

// auditItems reads changes. As with events, LIMIT 1 BY drops the copies of a row.
func (l *Log) auditItems(ctx context.Context, where *filter, size int) ([]AuditItem, error) {
	items := []AuditItem{}
	sql := "SELECT audit_id, change_id, at, actor, action, kind, resource_id, name, revision, before, after FROM audit" + where.sql() +
		" ORDER BY at DESC, audit_id DESC LIMIT 1 BY at, audit_id LIMIT {size:UInt32}"
	err := l.rows(ctx, "audit", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		var item AuditItem
		var id, changeID uuid.UUID
		var action, before, after string
		err := rows.Scan(&id, &changeID, &item.At, &item.Actor, &action, &item.Kind, &item.ResourceID, &item.Name, &item.Revision, &before, &after)
		item.ID, item.ChangeID, item.Action = id.String(), changeID.String(), schemas.Action(action)
		item.Before, item.After = orNull(before), orNull(after)
		items = append(items, item)
		return err
	})
	return items, err
}

// orNull is a JSON text, null for none.
func orNull(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
