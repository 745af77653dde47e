// Package query answers the questions about the event log: which events came, what was decided about each, which runs
// they started and how the delivery went. Lists are newest first and paged by keyset cursors, so that a page stays what
// it is while new rows arrive. Every value of a filter is a bound parameter, and every answer counts a row once however
// many copies of it wait to be merged.
package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// How many items a page has: when nothing is asked for, and at most.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// ErrNotFound says that the log has no such event or run: it never came, has expired, or is not written yet.
var ErrNotFound = errors.New("not found in the event log")

// FilterError says which filter cannot be answered and why.
type FilterError struct {
	Field   string // as the API names it, e.g. "cursor"
	Message string
}

func (e *FilterError) Error() string { return e.Field + ": " + e.Message }

// Log reads the event log. It can be used by many goroutines at once.
type Log struct{ conn driver.Conn }

// New returns a log that reads through conn, which must be connected to the event log's database.
func New(conn driver.Conn) *Log { return &Log{conn: conn} }

// Ping asks ClickHouse for a sign of life.
func (l *Log) Ping(ctx context.Context) error { return l.conn.Ping(ctx) }

// rows runs a query within the bounds that every query has, and hands each of its rows to scan.
func (l *Log) rows(ctx context.Context, what, sql string, args []any, scan func(driver.Rows) error) error {
	rows, err := l.conn.Query(bounded(ctx), sql, args...)
	if err != nil {
		return failed(what, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has told everything
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("reading %s: %w", what, err)
		}
	}
	return failed(what, rows.Err())
}

// failed explains an error of the server, nil where there is none.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return limited(fmt.Errorf("reading %s: %w", what, err))
}

func limit(asked int) (int, error) {
	switch {
	case asked == 0:
		return DefaultLimit, nil
	case asked < 0 || asked > MaxLimit:
		return 0, &FilterError{"limit", fmt.Sprintf("must be 1 to %d", MaxLimit)}
	default:
		return asked, nil
	}
}

// millis binds a time as what the SQL function fromUnixTimestamp64Milli takes: text would depend on the server's zone.
func millis(name string, at time.Time) any { return clickhouse.Named(name, at.UnixMilli()) }
