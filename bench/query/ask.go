package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// warmUp is how often a question is asked before it counts.
const warmUp = 3

// ask asks a question several times and prints how long that took, and how many rows of how many were read for it. It returns the
// milliseconds that 19 of 20 answers took at most.
func ask(ctx context.Context, q question, recorded *recorder, rounds int) (p95 float64, err error) {
	var took []time.Duration
	var read uint64
	for round := range warmUp + rounds {
		before, err := recorded.rowsRead(ctx)
		if err != nil {
			return 0, err
		}
		recorded.statements = nil
		began := time.Now()
		count, err := q.ask(ctx)
		if err != nil {
			return 0, err
		}
		elapsed := time.Since(began)
		if count < q.want {
			return 0, fmt.Errorf("%d items, at least %d should be there", count, q.want)
		}
		after, err := recorded.rowsRead(ctx)
		if err != nil {
			return 0, err
		}
		if read = after - before; round >= warmUp {
			took = append(took, elapsed)
		}
	}
	total, err := recorded.rowsOfTables(ctx)
	if err != nil {
		return 0, err
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	fmt.Printf("%-44s %9.1f %9.1f %9.1f %12d %12d\n", q.name, at(0.5), at(0.95), at(1), read, total)
	return at(0.95), nil
}

// recorder remembers the statements that pass through a connection.
type recorder struct {
	driver.Conn
	statements []string
}

// Query implements driver.Conn.
func (r *recorder) Query(ctx context.Context, sql string, args ...any) (driver.Rows, error) {
	r.statements = append(r.statements, sql)
	return r.Conn.Query(ctx, sql, args...)
}

// rowsRead is how many rows the engine has read of tables since it was started. Asking adds some hundreds itself.
func (r *recorder) rowsRead(ctx context.Context) (read uint64, err error) {
	err = r.Conn.QueryRow(ctx, "SELECT sum(value) FROM system.events WHERE event = 'SelectedRows'").Scan(&read)
	return read, err
}

// rowsOfTables counts the rows of the tables that the recorded statements name.
func (r *recorder) rowsOfTables(ctx context.Context) (total uint64, err error) {
	for _, table := range []string{"events", "decisions", "runs", "deliveries"} {
		uses := func(sql string) bool { return strings.Contains(sql, "FROM "+table) }
		if !slices.ContainsFunc(r.statements, uses) {
			continue
		}
		var rows uint64
		if err := r.Conn.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&rows); err != nil {
			return 0, err
		}
		total += rows
	}
	return total, nil
}
