package eventlog

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// table says how the records of one topic become the rows of one table. What replays make lies in topics of its own and in
// the tables of what live traffic makes.
type table struct {
	name    string
	topic   string                         // without the prefix
	decode  func(*kgo.Record) (any, error) // what the columns read of a record; for one goroutine at a time
	columns []column
}

// column makes one column of an insert of the rows, all at once: a slice with a value for each.
type column struct {
	name   string
	values func(rows []row) any
}

// lists are the values of a column of arrays, a slice for each row. The driver takes them row by row: given all at once, it
// looks at each element by reflection, which takes a third more time.
type lists []any

func tables() []table {
	return []table{
		eventsTable(), rejectionsTable(), decisionsTable(schemas.DecisionsTopic), decisionsTable(schemas.ReplayedTopic),
		runsTable(schemas.RunsTopic), runsTable(schemas.ReplayRunsTopic), deliveriesTable(), deadLettersTable(), auditTable(),
	}
}

// of returns a column whose values are a function of what the table's decode returned.
func of[Fields, Value any](name string, value func(Fields) Value) column {
	return column{name, func(rows []row) any {
		values := make([]Value, len(rows))
		for i, row := range rows {
			values[i] = value(row.fields.(Fields))
		}
		return values
	}}
}

// listOf returns a column of arrays whose values are a function of what the table's decode returned.
func listOf[Fields, Value any](name string, list func(Fields) []Value) column {
	return column{name, func(rows []row) any {
		values := make(lists, len(rows))
		for i, row := range rows {
			values[i] = list(row.fields.(Fields))
		}
		return values
	}}
}

// nested returns one member of every element of a list, as nested columns are stored.
func nested[Fields, Element, Value any](list func(Fields) []Element, member func(Element) Value) func(Fields) []Value {
	return func(fields Fields) []Value {
		elements := list(fields)
		values := make([]Value, len(elements))
		for i, element := range elements {
			values[i] = member(element)
		}
		return values
	}
}

// place returns a column whose values are a function of the record itself.
func place[Value any](name string, value func(*kgo.Record) Value) column {
	return column{name, func(rows []row) any {
		values := make([]Value, len(rows))
		for i, row := range rows {
			values[i] = value(row.record)
		}
		return values
	}}
}

// withPlace adds the columns that say where in Kafka a row comes from.
func withPlace(columns ...column) []column {
	return append(
		columns,
		place("topic", func(r *kgo.Record) string { return r.Topic }),
		place("partition", func(r *kgo.Record) int32 { return r.Partition }),
		place("offset", func(r *kgo.Record) int64 { return r.Offset }),
	)
}

// insert returns the statement that a batch of the table begins with.
func (t table) insert() string {
	names := make([]string, len(t.columns))
	for i, column := range t.columns {
		names[i] = "`" + column.name + "`"
	}
	return "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ")"
}

// read returns a decode function for the JSON records of schemas, whose fields then takes what the columns need.
func read[Record schemas.Record, Fields any](decode func(value []byte) (Record, error), fields func(Record) (Fields, error)) func(*kgo.Record) (any, error) {
	return func(record *kgo.Record) (any, error) {
		decoded, err := decode(record.Value)
		if err != nil {
			return nil, err
		}
		return fields(decoded)
	}
}

// storable checks a time that places a row in a partition of its table. ClickHouse counts the days of TTL as DateTime,
// which ends in 2106.
func storable(name string, at time.Time) error {
	if at.Year() < 1970 || at.Year() > 2105 {
		return fmt.Errorf("%s %s lies outside 1970 to 2105", name, at.Format(time.RFC3339))
	}
	return nil
}

func parseID(name, id string) (uuid.UUID, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return parsed, fmt.Errorf("%s %.40q: %w", name, id, err)
	}
	return parsed, nil
}
