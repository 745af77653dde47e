package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// once returns a subquery with columns of the rows of a table that a filter describes, every row counted once, and its
// arguments. The filter says of which time, of the column by whose day the table is partitioned.
//
// FINAL reads the whole order key to tell copies of a row apart, which takes most of the time of a count. Copies have the
// same time. So where one part has all rows of a span of time, and merging has made that part, there are none, and it is read
// without. That is all of a day that is over, for which the table forces such a merge, and most of the day that events come
// in for, which lie in the parts in the order in which they came. Of whole days in the filter's range not even the times are
// read. Which spans these are is asked before, so that all of the query goes by the same answer: a copy that comes within
// these milliseconds counts until the next question. Over several servers the answer is none.
func (l *Log) once(ctx context.Context, columns, table string, where *filter) (sql string, args []any, err error) {
	parts, err := l.parts(ctx, table)
	if err != nil {
		return "", nil, err
	}
	once := longest(cutAll(aloneIn(parts), where.within.span))
	var days []string
	var alone []span
	for _, s := range once {
		whole, rest := s.days()
		for _, day := range whole {
			days = append(days, day.Format(partitionDay))
		}
		alone = append(alone, rest...)
	}
	args = slices.Clone(where.args)
	var all []string
	read := func(from string, within filter) {
		described := filter{conditions: append(where.withoutSpan(), within.conditions...)}
		all = append(all, "SELECT "+columns+" FROM "+from+described.sql())
		args = append(args, within.args...)
	}
	if len(days) > 0 {
		var within filter
		within.add("_partition_id IN {days:Array(String)}", clickhouse.Named("days", days))
		read(table, within)
	}
	for i, s := range alone { // one by one: in which of many spans a row is takes longer to say than to count it
		var within filter
		within.liesIn(where.within.column, s, fmt.Sprintf("alone_%d_since", i), fmt.Sprintf("alone_%d_until", i))
		read(table, within)
	}
	if rest := where.within.without(once); len(rest) > 0 {
		var within filter
		within.liesInAny(where.within.column, rest, "rest")
		read(table+" FINAL", within)
	}
	return "(" + strings.Join(all, " UNION ALL ") + ")", args, nil
}

// partitionDay is how a day's partition is named.
const partitionDay = "20060102"

// maxSpans bounds the length of a query. What is left out is read as if there were copies.
const maxSpans = 20

// longest returns the longest spans, in order.
func longest(spans []span) []span {
	if len(spans) <= maxSpans {
		return spans
	}
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(b.until.Sub(b.since), a.until.Sub(a.since)) })
	spans = spans[:maxSpans]
	slices.SortFunc(spans, func(a, b span) int { return a.since.Compare(b.since) })
	return spans
}

// part is a part of a table on disk.
type part struct {
	span
	isMerged bool // and has no copies of a row
}

// parts returns the parts of a table. A server that does not say of which time the rows of a part are is taken to have them
// of all of its day.
func (l *Log) parts(ctx context.Context, table string) ([]part, error) {
	var parts []part
	err := l.rows(ctx, "parts of "+table, "SELECT partition_id, min_time, max_time, level FROM system.parts"+
		" WHERE database = currentDatabase() AND table = {table:String} AND active",
		[]any{clickhouse.Named("table", table)}, func(rows driver.Rows) error {
			var id string
			var first, last time.Time // in whole seconds
			var level uint32
			if err := rows.Scan(&id, &first, &last, &level); err != nil {
				return err
			}
			at, err := time.Parse(partitionDay, id)
			if err != nil {
				return err
			}
			of := span{at, at.Add(day)}
			if s, isWithin := (span{first.UTC(), last.UTC().Add(time.Second)}).cut(of); isWithin {
				of = s
			}
			parts = append(parts, part{of, level > 0})
			return nil
		})
	return parts, err
}
