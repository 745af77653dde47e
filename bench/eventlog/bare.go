package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// bare inserts the rows of the events table into one of the same definition, without anything around it, in blocks of the
// size that the event log makes, and returns how long that took. The rows are read before the clock starts.
func (t *turn) bare(ctx context.Context) (time.Duration, error) {
	blocks, names, err := t.blocks(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the rows: %w", err)
	}
	if err := t.conn.Exec(ctx, "CREATE TABLE bare AS events"); err != nil {
		return 0, err
	}
	statement := "INSERT INTO bare (`" + strings.Join(names, "`, `") + "`)"
	began := time.Now()
	for _, columns := range blocks {
		batch, err := t.conn.PrepareBatch(ctx, statement)
		if err != nil {
			return 0, err
		}
		for i, column := range columns {
			if err := batch.Column(i).Append(column.Interface()); err != nil {
				return 0, fmt.Errorf("column %s: %w", names[i], err)
			}
		}
		if err := batch.Send(); err != nil {
			return 0, err
		}
	}
	took := time.Since(began)
	return took, t.conn.Exec(ctx, "DROP TABLE bare SYNC")
}

// blocks reads the rows in the order of Kafka, each block as one slice a column.
func (t *turn) blocks(ctx context.Context) (blocks [][]reflect.Value, names []string, err error) {
	rows, err := t.conn.Query(ctx, "SELECT * FROM events ORDER BY offset, partition")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	row := make([]any, len(types))
	for i, column := range types {
		names = append(names, column.Name())
		row[i] = reflect.New(column.ScanType()).Interface()
	}
	for count := 0; rows.Next(); count++ {
		if count%t.config.Flush.Rows == 0 {
			block := make([]reflect.Value, len(types))
			for i, column := range types {
				block[i] = reflect.MakeSlice(reflect.SliceOf(column.ScanType()), 0, t.config.Flush.Rows)
			}
			blocks = append(blocks, block)
		}
		if err := rows.Scan(row...); err != nil {
			return nil, nil, err
		}
		block := blocks[len(blocks)-1]
		for i, value := range row {
			block[i] = reflect.Append(block[i], reflect.ValueOf(value).Elem())
		}
	}
	return blocks, names, rows.Err()
}
