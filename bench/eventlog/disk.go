package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// printDisk prints what rows take in each table.
func (t *turn) printDisk(ctx context.Context) error {
	fmt.Printf("%-12s %14s %20s\n", "table", "bytes a row", "uncompressed bytes")
	for _, table := range t.load.tables {
		if err := t.disk(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// disk prints what a row takes once the parts are merged.
func (t *turn) disk(ctx context.Context, table string) error {
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := t.conn.Exec(waiting, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
		return fmt.Errorf("merging %s: %w", table, err)
	}
	var onDisk, raw float64
	err := t.conn.QueryRow(ctx, "SELECT sum(bytes_on_disk) / sum(rows), sum(data_uncompressed_bytes) / sum(rows) FROM system.parts"+
		" WHERE active AND database = currentDatabase() AND table = {table:String}", clickhouse.Named("table", table)).Scan(&onDisk, &raw)
	if err != nil {
		return err
	}
	fmt.Printf("%-12s %14.1f %20.1f\n", table, onDisk, raw)
	return nil
}
