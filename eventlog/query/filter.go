package query

import (
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// filter is a WHERE clause that grows by one condition at a time. Conditions are constants of this package; what varies
// is bound.
type filter struct {
	conditions []string
	args       []any
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

// before adds what continues a list after the cursor. The bound on received_at repeats what the tuple says, because
// partitions and granules are left out by the plain column only.
func (f *filter) before(cursor position, id string) {
	if cursor.at.IsZero() {
		return
	}
	f.add("received_at <= fromUnixTimestamp64Milli({cursor_at:Int64}, 'UTC')"+
		" AND (received_at, "+id+") < (fromUnixTimestamp64Milli({cursor_at:Int64}, 'UTC'), {cursor_id:UUID})",
		millis("cursor_at", cursor.at), clickhouse.Named("cursor_id", cursor.id.String()))
}

func (f *filter) sql() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.conditions, " AND ")
}
