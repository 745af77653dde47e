package query

import (
	"context"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// once returns a subquery with columns of the rows of a table that a filter describes, every row counted once, and its
// arguments.
//
// FINAL reads the whole order key to tell copies of a row apart, which takes most of the time of a count. A partition that
// merging has made one part of has no copies, so that it is read without; those are the days that are over, for which the
// table forces such a merge. Which ones is asked before, so that both halves of the query go by the same answer: a copy
// that comes within these milliseconds counts until the next question. Over several servers the answer is none.
func (l *Log) once(ctx context.Context, columns, table string, where *filter) (sql string, args []any, err error) {
	settled := []string{}
	err = l.rows(ctx, "parts of "+table, "SELECT partition_id FROM system.parts"+
		" WHERE database = currentDatabase() AND table = {table:String} AND active GROUP BY partition_id HAVING count() = 1 AND min(level) > 0",
		[]any{clickhouse.Named("table", table)}, func(rows driver.Rows) error {
			var id string
			err := rows.Scan(&id)
			settled = append(settled, id)
			return err
		})
	if err != nil {
		return "", nil, err
	}
	half := func(from, condition string) string {
		all := filter{conditions: append(slices.Clone(where.conditions), condition)}
		return "SELECT " + columns + " FROM " + from + all.sql()
	}
	sql = "(" + half(table, "_partition_id IN {settled:Array(String)}") +
		" UNION ALL " + half(table+" FINAL", "_partition_id NOT IN {settled:Array(String)}") + ")"
	return sql, append(slices.Clone(where.args), clickhouse.Named("settled", settled)), nil
}
