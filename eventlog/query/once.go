package query

import (
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// once returns a subquery with columns of the rows of a table that a filter describes, every row counted once, and its
// arguments.
//
// FINAL reads the whole order key to tell copies of a row apart, which takes most of the time of a count. A partition that
// merging has made one part of has no copies, so that it is read without; those are the days that are over, for which the
// table forces such a merge. Of those that lie in the filter's range all rows do, and their times need not be read to see it.
// Which ones is asked before, so that all parts of the query go by the same answer: a copy that comes within these
// milliseconds counts until the next question. Over several servers the answer is none.
func (l *Log) once(ctx context.Context, columns, table string, where *filter) (sql string, args []any, err error) {
	days, err := l.settled(ctx, table)
	if err != nil {
		return "", nil, err
	}
	covered, others := []string{}, []string{}
	for _, id := range days {
		if day, err := time.Parse("20060102", id); err == nil && where.within.covers(day) {
			covered = append(covered, id)
		} else {
			others = append(others, id)
		}
	}
	part := func(from string, conditions []string, partitions string) string {
		all := filter{conditions: append(slices.Clone(conditions), partitions)}
		return "SELECT " + columns + " FROM " + from + all.sql()
	}
	sql = "(" + part(table, where.withoutSpan(), "_partition_id IN {covered:Array(String)}") +
		" UNION ALL " + part(table, where.conditions, "_partition_id IN {settled:Array(String)}") +
		" UNION ALL " + part(table+" FINAL", where.conditions, "_partition_id NOT IN {days:Array(String)}") + ")"
	return sql, append(slices.Clone(where.args), clickhouse.Named("covered", covered), clickhouse.Named("settled", others), clickhouse.Named("days", days)), nil
}

// settled returns the partitions of a table that are one part.
func (l *Log) settled(ctx context.Context, table string) ([]string, error) {
	days := []string{}
	err := l.rows(ctx, "parts of "+table, "SELECT partition_id FROM system.parts"+
		" WHERE database = currentDatabase() AND table = {table:String} AND active GROUP BY partition_id HAVING count() = 1 AND min(level) > 0",
		[]any{clickhouse.Named("table", table)}, func(rows driver.Rows) error {
			var id string
			err := rows.Scan(&id)
			days = append(days, id)
			return err
		})
	return days, err
}
