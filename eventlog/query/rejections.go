package query

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// RejectionItem is a request that was refused and logged.
type RejectionItem struct {
	ID          string    `json:"id"`
	SourceID    string    `json:"source_id"`   // "" where the endpoint is not known
	Environment string    `json:"environment"` // "" where the endpoint is not known
	RejectedAt  time.Time `json:"rejected_at"`
	StatusCode  int       `json:"status_code"`
	Code        string    `json:"code"` // of the answer, such as invalid_json
	Message     string    `json:"message"`
	Field       string    `json:"field"`
	Body        string    `json:"body"` // first 4 KiB of what was posted
}

// RejectionFilter says which refused requests are asked for. An empty member does not restrict.
type RejectionFilter struct {
	Source      string // ID
	Environment string
	Code        string // of the answer
	Since       time.Time
	Until       time.Time // excluded
	Limit       int       // 1 to MaxLimit; 0 is DefaultLimit
	Cursor      string    // NextCursor of the page before
}

// RejectionPage is a page of refused requests, newest first.
type RejectionPage struct {
	Items      []RejectionItem
	NextCursor string // "" on the last page
}

// Rejections returns a page of the refused requests that the filter describes. A bad filter is a *FilterError.
func (l *Log) Rejections(ctx context.Context, asked RejectionFilter) (RejectionPage, error) {
	size, err := limit(asked.Limit)
	if err != nil {
		return RejectionPage{}, err
	}
	after, err := parseCursor(asked.Cursor, rejectionList)
	if err != nil {
		return RejectionPage{}, err
	}
	if err := checkRange(asked.Since, asked.Until); err != nil {
		return RejectionPage{}, err
	}
	filtered := func(since time.Time) (*filter, error) {
		where := new(filter)
		where.equals("environment", asked.Environment)
		where.equals("source_id", asked.Source)
		where.equals("code", asked.Code)
		where.between("rejected_at", since, asked.Until)
		where.before(after, "rejected_at", "rejection_id")
		return where, nil
	}
	items, err := newestFirst[RejectionItem]{l, "rejections", "rejected_at", filtered, l.rejectionItems}.page(ctx, asked.Since, newest(after, asked.Until), size+1)
	if err != nil {
		return RejectionPage{}, err
	}
	page := RejectionPage{Items: items}
	if len(items) > size {
		page.Items = items[:size]
		last := items[size-1]
		page.NextCursor = position{last.RejectedAt, uuid.MustParse(last.ID)}.cursor(rejectionList)
	}
	return page, nil
}

// rejectionItems reads refused requests. As with events, LIMIT 1 BY drops the copies of a row.
func (l *Log) rejectionItems(ctx context.Context, where *filter, size int) ([]RejectionItem, error) {
	items := []RejectionItem{}
	sql := "SELECT rejection_id, source_id, environment, rejected_at, status_code, code, message, field, body FROM rejections" + where.sql() +
		" ORDER BY rejected_at DESC, rejection_id DESC LIMIT 1 BY rejected_at, rejection_id LIMIT {size:UInt32}"
	err := l.rows(ctx, "rejections", sql, append(where.args, clickhouse.Named("size", size)), func(rows driver.Rows) error {
		var item RejectionItem
		var id uuid.UUID
		var status uint16
		err := rows.Scan(&id, &item.SourceID, &item.Environment, &item.RejectedAt, &status, &item.Code, &item.Message, &item.Field, &item.Body)
		item.ID, item.StatusCode, item.Body = id.String(), int(status), strings.ToValidUTF8(item.Body, "\uFFFD")
		items = append(items, item)
		return err
	})
	return items, err
}
