package query

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// SQL answers questions in SQL that users write.
type SQL struct {
	conn   driver.Conn
	bounds SQLBounds
}

// SQLBounds limit what one question may take.
type SQLBounds struct {
	Rows   int           // of the answer; more are cut off
	Bytes  int64         // of the answer; more is cut off, too
	Time   time.Duration // whole seconds
	Memory int64         // bytes; 0 leaves it to the server
	Read   int64         // rows
}

// NewSQL returns what asks through conn, which must be a user that can read the event log's database and nothing else.
func NewSQL(conn driver.Conn, bounds SQLBounds) *SQL { return &SQL{conn, bounds} }

// Table is the answer to a question in SQL.
type Table struct {
	Columns   []TableColumn `json:"columns"`
	Rows      [][]any       `json:"rows"` // a value for each column
	IsCut     bool          `json:"cut"`  // there are more rows than are shown
	ElapsedMs float64       `json:"elapsed_ms"`
}

// TableColumn is a column of the answer, its type as ClickHouse calls it.
type TableColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// SQLError says what is wrong with a statement.
type SQLError struct{ Message string }

func (e *SQLError) Error() string { return e.Message }

// Ask runs one SELECT with its parameters. What is wrong with it is an *SQLError; where it takes too much, a *LimitError.
//
// That the statement only reads is for the server to see to, by its user and by readonly; what is refused before that is
// what would leave the bounds, or the database.
func (s *SQL) Ask(ctx context.Context, statement string, parameters map[string]string) (Table, error) {
	statement, err := checkSelect(statement)
	if err != nil {
		return Table{}, err
	}
	args := make([]any, 0, len(parameters)+1)
	for name, value := range parameters {
		args = append(args, clickhouse.Named(name, value))
	}
	began := time.Now()
	// The comment that ends the statement must not take the parenthesis with it.
	rows, err := s.conn.Query(s.bounded(ctx), "SELECT * FROM (\n"+statement+"\n) LIMIT "+strconv.Itoa(s.bounds.Rows+1), args...)
	if err != nil {
		return Table{}, refusedSQL(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has told everything
	table := Table{Columns: []TableColumn{}, Rows: [][]any{}}
	for _, column := range rows.ColumnTypes() {
		table.Columns = append(table.Columns, TableColumn{column.Name(), column.DatabaseTypeName()})
	}
	if err := s.readRows(rows, &table); err != nil {
		return Table{}, err
	}
	if err := rows.Err(); err != nil {
		return Table{}, refusedSQL(err)
	}
	table.ElapsedMs = milliseconds(time.Since(began))
	return table, nil
}

// readRows reads as many rows as the bounds allow. Their size is that of their JSON.
func (s *SQL) readRows(rows driver.Rows, table *Table) error {
	size := int64(0)
	for rows.Next() {
		row, err := scanAny(rows)
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		text, err := json.Marshal(row)
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		if size += int64(len(text)); size > s.bounds.Bytes && len(table.Rows) == 0 {
			return &LimitError{fmt.Sprintf("a single row is larger than %d bytes; select less of it", s.bounds.Bytes)}
		}
		if table.IsCut = size > s.bounds.Bytes || len(table.Rows) == s.bounds.Rows; table.IsCut {
			return nil
		}
		table.Rows = append(table.Rows, row)
	}
	return nil
}

// bounded limits what the statement may take, and lets it only read.
func (s *SQL) bounded(ctx context.Context) context.Context {
	settings := clickhouse.Settings{
		"readonly":             1,
		"max_execution_time":   int(s.bounds.Time.Seconds()),
		"max_rows_to_read":     s.bounds.Read,
		"max_result_bytes":     s.bounds.Bytes,
		"result_overflow_mode": "throw",
	}
	if s.bounds.Memory > 0 {
		settings["max_memory_usage"] = s.bounds.Memory
	}
	return clickhouse.Context(ctx, clickhouse.WithSettings(settings))
}
