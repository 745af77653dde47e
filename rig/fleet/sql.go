package fleet

import (
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Exec lets ClickHouse execute a statement on the fleet's tables.
func (f *Fleet) Exec(statement string) {
	f.t.Helper()
	conn, err := f.connect()
	if err == nil {
		err = conn.Exec(f.t.Context(), statement)
		_ = conn.Close()
	}
	if err != nil {
		f.t.Fatalf("%s: %v", statement, err)
	}
}

// Count returns the number that a question to ClickHouse has for an answer.
func (f *Fleet) Count(question string) (uint64, error) {
	conn, err := f.connect()
	if err != nil {
		return 0, err
	}
	var count uint64
	err = conn.QueryRow(f.t.Context(), question).Scan(&count)
	_ = conn.Close()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", question, err)
	}
	return count, nil
}

func (f *Fleet) connect() (driver.Conn, error) {
	options, err := clickhouse.ParseDSN(f.dsn)
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(options)
}
