package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"
)

// block is rows of a table, by column: each a slice of the type that the client makes of it.
type block map[string]reflect.Value

// columns reads a table in blocks of so many rows.
func columns(ctx context.Context, conn driver.Conn, table string, size int) (blocks []block, err error) {
	selected, err := selection(ctx, conn, table)
	if err != nil {
		return nil, fmt.Errorf("reading the columns of %s: %w", table, err)
	}
	rows, err := conn.Query(ctx, "SELECT "+selected+" FROM "+table+" ORDER BY partition, offset")
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types := rows.ColumnTypes()
	row := make([]any, len(types))
	for i, column := range types {
		row[i] = reflect.New(column.ScanType()).Interface()
	}
	for count := 0; rows.Next(); count++ {
		if count%size == 0 {
			blocks = append(blocks, block{})
			for _, column := range types {
				blocks[len(blocks)-1][column.Name()] = reflect.MakeSlice(reflect.SliceOf(column.ScanType()), 0, size)
			}
		}
		if err := rows.Scan(row...); err != nil {
			return nil, fmt.Errorf("reading %s: %w", table, err)
		}
		for i, column := range types {
			values := blocks[len(blocks)-1]
			values[column.Name()] = reflect.Append(values[column.Name()], reflect.ValueOf(row[i]).Elem())
		}
	}
	return blocks, rows.Err()
}

// selection names the columns of a table: those of JSON as texts, which is how the event log sends them, too.
func selection(ctx context.Context, conn driver.Conn, table string) (string, error) {
	var names []string
	err := conn.QueryRow(ctx, "SELECT groupArray(if(type LIKE 'JSON%', concat('`', name, '`::String AS `', name, '`'), concat('`', name, '`')))"+
		" FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')",
		clickhouse.Named("table", table)).Scan(&names)
	return strings.Join(names, ", "), err
}

func insert(ctx context.Context, conn driver.Conn, table string, rows block) error {
	names := slices.Sorted(maps.Keys(rows))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" (`"+strings.Join(names, "`, `")+"`)")
	if err != nil {
		return fmt.Errorf("inserting into %s: %w", table, err)
	}
	for i, name := range names {
		if err := batch.Column(i).Append(rows[name].Interface()); err != nil {
			return fmt.Errorf("column %s of %s: %w", name, table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("inserting into %s: %w", table, err)
	}
	return nil
}

// insertBare inserts the rows of the turn's tables once more, into tables like them, with nothing but the client: from
// columns that are ready, a block after the other, all tables at the same time, as the event log does.
func (t *turn) insertBare(ctx context.Context, m meter) (cost, error) {
	ready := map[string][]block{}
	for _, table := range t.load.tables {
		if err := t.conn.Exec(ctx, "CREATE TABLE "+bare(table)+" AS "+table); err != nil {
			return cost{}, fmt.Errorf("creating a table like %s: %w", table, err)
		}
		var err error
		if ready[table], err = columns(ctx, t.conn, table, t.config.Flush.Rows); err != nil {
			return cost{}, err
		}
	}
	first, err := m.read(0)
	if err != nil {
		return cost{}, err
	}
	group, inserting := errgroup.WithContext(ctx)
	for _, table := range t.load.tables {
		group.Go(func() error {
			for _, rows := range ready[table] {
				if err := insert(inserting, t.conn, bare(table), rows); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return cost{}, err
	}
	last, err := m.read(t.load.rows())
	if err != nil {
		return cost{}, err
	}
	inserted, err := t.count(ctx, bare)
	if err == nil && inserted != t.load.rows() {
		err = fmt.Errorf("%d of %d rows were inserted", inserted, t.load.rows())
	}
	if err != nil {
		return cost{}, err
	}
	return first.until(last)
}

func bare(table string) string { return "bare_" + table }
