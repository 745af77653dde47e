package eventlog

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// of tells whether the migration creates or alters a table.
func (m migration) of(table string) bool {
	found := ofTable.FindStringSubmatch(m.text)
	return found != nil && found[2] == table
}

// fresh returns the statements that make the table with freshSuffix as the migrations make the table, with the mark. The
// first one fails where such a table is there, so that of two rebuilds at once one ends.
func (c Config) fresh(table string, mark mark) ([]string, error) {
	comment, err := mark.literal()
	if err != nil {
		return nil, err
	}
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	var statements []string
	for _, migration := range all {
		if !migration.of(table) {
			continue
		}
		head := ofTable.FindStringSubmatch(migration.text)
		some, err := c.statements(strings.Replace(migration.text, head[0], head[1]+" "+table+freshSuffix, 1))
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", migration.name, err)
		}
		if len(statements) == 0 {
			// A replicated table keeps the path it was made with, and a later rebuild needs another one.
			some[0] = strings.Replace(some[0], "{table}", "{table}_"+mark.ID, 1)
			some[0] = strings.Replace(some[0], "IF NOT EXISTS ", "", 1) + "\nCOMMENT " + comment
		}
		statements = append(statements, some...)
	}
	return statements, nil
}

// swap returns the statements that let the table and the fresh one trade places. On one server that is one step. On a
// cluster each server takes it by itself, and the distributed table gets the columns of the new one.
func (c Config) swap(table string) ([]string, error) {
	statements := []string{"EXCHANGE TABLES " + c.local(table) + " AND " + c.local(table+freshSuffix) + c.onCluster()}
	if c.Cluster == "" {
		return statements, nil
	}
	for _, name := range []string{table, table + freshSuffix} {
		distributed, err := c.distributed(name)
		if err != nil {
			return nil, err
		}
		statements = append(statements, distributed)
	}
	return statements, nil
}

// drop returns the statements that delete the table with freshSuffix, or give the old table another name.
func (c Config) drop(table string, isKept bool) []string {
	var statements []string
	fresh := table + freshSuffix
	if c.Cluster != "" {
		statements = append(statements, "DROP TABLE IF EXISTS "+fresh+c.onCluster()+" SYNC")
	}
	if isKept {
		return append(statements, "RENAME TABLE "+c.local(fresh)+" TO "+c.local(table+keptSuffix)+c.onCluster())
	}
	return append(statements, "DROP TABLE IF EXISTS "+c.local(fresh)+c.onCluster()+" SYNC")
}

// unmark returns the statement that takes the mark off the table.
func (c Config) unmark(table string) string {
	return "ALTER TABLE " + c.local(table) + c.onCluster() + " MODIFY COMMENT ''"
}

// define runs statements that make, swap or delete tables, of any size.
func define(ctx context.Context, conn driver.Conn, statements ...string) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_table_size_to_drop": 0}))
	for _, statement := range statements {
		if err := conn.Exec(ctx, statement); err != nil {
			line, _, _ := strings.Cut(statement, "\n")
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}
