package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	// freshSuffix names the table that a rebuild fills. Once the two are swapped, the old one has this name.
	freshSuffix = "_rebuild"
	// keptSuffix names the old table where it is kept.
	keptSuffix = "_before_rebuild"
	// markPrefix is what the comment of a table begins with while a rebuild works on it.
	markPrefix = "millrace rebuild "
)

// mark is the comment of the table that a rebuild makes, from the moment that it is there until all is done. It goes along
// when the tables are swapped, which is one step: so at any moment the mark tells which of the two tables is the new one.
type mark struct {
	ID        string    `json:"id"` // of the rebuild
	Stretches []stretch `json:"stretches"`
}

// literal returns the mark as a text of SQL. A comment takes no parameter.
func (m mark) literal() (string, error) {
	encoded, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(markPrefix+string(encoded)) + "'", nil
}

// state is what is there of a table and of a rebuild of it.
type state struct {
	isThere bool  // the table itself
	isFresh bool  // a table with its name and freshSuffix
	isKept  bool  // one with keptSuffix
	done    *mark // of the table itself: it is the new one
	begun   *mark // of the one with freshSuffix: it is the new one
}

// look asks for the state of a table.
func look(ctx context.Context, conn driver.Conn, config Config, table string) (state, error) {
	var rows []struct {
		Name    string `ch:"name"`
		Comment string `ch:"comment"`
	}
	err := conn.Select(ctx, &rows, "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND name IN ({table:String}, {fresh:String}, {kept:String})",
		driver.NamedValue{Name: "table", Value: config.local(table)},
		driver.NamedValue{Name: "fresh", Value: config.local(table + freshSuffix)},
		driver.NamedValue{Name: "kept", Value: config.local(table + keptSuffix)})
	if err != nil {
		return state{}, fmt.Errorf("asking which tables there are: %w", err)
	}
	var found state
	for _, row := range rows {
		mark, err := readMark(row.Comment)
		if err != nil {
			return state{}, fmt.Errorf("reading the comment of table %s: %w", row.Name, err)
		}
		switch row.Name {
		case config.local(table):
			found.isThere, found.done = true, mark
		case config.local(table + freshSuffix):
			found.isFresh, found.begun = true, mark
		default:
			found.isKept = true
		}
	}
	return found, nil
}

// readMark returns the mark in a comment, or nil where there is none.
func readMark(comment string) (*mark, error) {
	text, isMark := strings.CutPrefix(comment, markPrefix)
	if !isMark {
		return nil, nil
	}
	var read mark
	err := json.Unmarshal([]byte(text), &read)
	return &read, err
}

// problem says why a rebuild of the table cannot begin, nor go on.
func (s state) problem(table string, mayContinue bool) error {
	switch {
	case !s.isThere:
		return fmt.Errorf("there is no table %s; make it with millrace migrate", table)
	case (s.done != nil || s.begun != nil) && !mayContinue:
		return fmt.Errorf("another rebuild of %s is under way, or one was broken off: if none is running, give --continue, which goes on with it or begins it anew", table)
	case s.done == nil && s.begun == nil && s.isFresh:
		return fmt.Errorf("table %s is there and no rebuild made it; drop it or give it another name", table+freshSuffix)
	case s.done == nil && s.isKept:
		return fmt.Errorf("table %s is still there from a former rebuild; drop it when you need it no more, or give it another name", table+keptSuffix)
	}
	return nil
}
