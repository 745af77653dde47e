package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// filter is a WHERE clause that grows by one condition at a time. Conditions are constants of this package; what varies
// is bound.
type filter struct {
	conditions []string
	args       []any
	within     within
}

// within is what between has added.
type within struct {
	span
	column     string
	conditions []string // those that say so
}

func (f *filter) add(condition string, args ...any) {
	f.conditions = append(f.conditions, condition)
	f.args = append(f.args, args...)
}

// equals adds column = value, unless the value is empty: then the column may be anything.
func (f *filter) equals(column, value string) {
	if value != "" {
		f.add(column+" = {"+column+":String}", clickhouse.Named(column, value))
	}
}

// moment is a time that is bound by millis.
func moment(name string) string { return "fromUnixTimestamp64Milli({" + name + ":Int64}, 'UTC')" }

// The tables are ordered by the hour first, and ClickHouse leaves out other hours only where the hour is asked for in so
// many words: each condition on a time says it twice.

// notBefore says that a column is at or after a bound time.
func notBefore(column, name string) string {
	return column + " >= " + moment(name) + " AND toStartOfHour(" + column + ") >= toStartOfHour(" + moment(name) + ")"
}

// notAfter says that a column is at or before a bound time.
func notAfter(column, name string) string {
	return column + " <= " + moment(name) + " AND toStartOfHour(" + column + ") <= toStartOfHour(" + moment(name) + ")"
}

// before adds what continues a list by the columns at and id after the cursor. The bound on at repeats what the tuple
// says, because partitions and granules are left out by the plain column only.
func (f *filter) before(cursor position, at, id string) {
	if cursor.at.IsZero() {
		return
	}
	f.add(notAfter(at, "cursor_at")+" AND ("+at+", "+id+") < ("+moment("cursor_at")+", {cursor_id:UUID})",
		millis("cursor_at", cursor.at), clickhouse.Named("cursor_id", cursor.id.String()))
}

// between adds a range of times of a column, its end excluded. A zero time leaves that side open.
func (f *filter) between(column string, since, until time.Time) {
	before := len(f.conditions)
	f.liesIn(column, span{since, until}, "since", "until")
	f.within = within{span{since, until}, column, slices.Clone(f.conditions[before:])}
}

// liesIn adds that a column lies in a span, whose ends are bound by these names.
func (f *filter) liesIn(column string, s span, since, until string) {
	if !s.since.IsZero() {
		f.add(notBefore(column, since), millis(since, s.since))
	}
	if !s.until.IsZero() {
		f.add(column+" < "+moment(until)+" AND "+notAfter(column, until), millis(until, s.until))
	}
}

// withoutSpan returns the conditions that say nothing of the range.
func (f *filter) withoutSpan() []string {
	return slices.DeleteFunc(slices.Clone(f.conditions), func(one string) bool { return slices.Contains(f.within.conditions, one) })
}

// liesInAny adds that a column lies in one of some spans, whose ends are bound by names that begin with a prefix.
func (f *filter) liesInAny(column string, spans []span, prefix string) {
	ways := make([]string, len(spans))
	for i, s := range spans {
		var way filter
		way.liesIn(column, s, fmt.Sprintf("%s_%d_since", prefix, i), fmt.Sprintf("%s_%d_until", prefix, i))
		ways[i] = strings.Join(way.conditions, " AND ")
		f.args = append(f.args, way.args...)
	}
	f.add("(" + strings.Join(ways, " OR ") + ")")
}

func (f *filter) sql() string { return f.clause(" WHERE ") }

// clause is what the keyword begins, nothing without conditions.
func (f *filter) clause(keyword string) string {
	if len(f.conditions) == 0 {
		return ""
	}
	return keyword + strings.Join(f.conditions, " AND ")
}
