package main

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// printSizes tells what a row costs on disk, by table, and by column where it is much.
func printSizes(ctx context.Context, conn driver.Conn) error {
	fmt.Printf("\n%-14s %12s %8s %12s %14s\n", "table", "rows", "parts", "bytes a row", "of it indexes")
	rows, err := conn.Query(ctx, "SELECT table, sum(rows) AS n, count(), sum(bytes_on_disk) / n, sum(secondary_indices_compressed_bytes) / n FROM system.parts"+
		" WHERE active AND database = currentDatabase() AND rows > 0 GROUP BY table ORDER BY table")
	if err != nil {
		return fmt.Errorf("reading sizes: %w", err)
	}
	for rows.Next() {
		var table string
		var n, parts uint64
		var bytes, indexes float64
		if err := rows.Scan(&table, &n, &parts, &bytes, &indexes); err != nil {
			return err
		}
		fmt.Printf("%-14s %12d %8d %12.1f %14.1f\n", table, n, parts, bytes, indexes)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return printColumns(ctx, conn)
}

func printColumns(ctx context.Context, conn driver.Conn) error {
	fmt.Printf("\n%-32s %12s %16s\n", "column", "bytes a row", "uncompressed")
	rows, err := conn.Query(ctx, "SELECT concat(table, '.', column) AS name, sum(column_data_compressed_bytes) / sum(rows) AS bytes,"+
		" sum(column_data_uncompressed_bytes) / sum(rows) FROM system.parts_columns WHERE active AND database = currentDatabase() AND rows > 0"+
		" GROUP BY name HAVING bytes >= 1 ORDER BY name")
	if err != nil {
		return fmt.Errorf("reading sizes: %w", err)
	}
	for rows.Next() {
		var name string
		var bytes, uncompressed float64
		if err := rows.Scan(&name, &bytes, &uncompressed); err != nil {
			return err
		}
		fmt.Printf("%-32s %12.1f %16.1f\n", name, bytes, uncompressed)
	}
	return rows.Err()
}
