package main

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/schollz/progressbar/v3"
)

//go:embed fill/*.sql
var statements embed.FS

// days is how long the log reaches back; a fifth of the events are of the last day.
const days = 30

// blockRows is the size of an insert into the last day, as the writer makes them; what it inserts before that has been
// merged since.
const blockRows = 50_000

// fill writes the events and what followed, unless they are there already, and a hundredth of the last day's events twice.
func fill(ctx context.Context, conn driver.Conn, rows uint64) error {
	var there uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM events").Scan(&there); err != nil {
		return fmt.Errorf("counting events: %w", err)
	}
	if there > 0 {
		fmt.Printf("%d events are there already\n", there)
		return nil
	}
	began := time.Now()
	bar := progressbar.Default(days, "filling")
	first, start := uint64(0), began.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	for day := range days {
		part := part{first: first, count: rows * 4 / 5 / (days - 1), from: start.AddDate(0, 0, day), block: 1_000_000}
		part.until = part.from.AddDate(0, 0, 1)
		if day == days-1 {
			part.count, part.until, part.block = rows-first, began, blockRows
		}
		if err := part.write(ctx, conn); err != nil {
			return err
		}
		if err := part.settle(ctx, conn); err != nil {
			return err
		}
		first += part.count
		_ = bar.Add(1)
	}
	fmt.Printf("filled in %s\n", time.Since(began).Round(time.Second))
	return nil
}

// part is the events of some time, and what followed from them.
type part struct {
	first, count uint64
	from, until  time.Time
	block        int // rows of one insert
}

func (p part) isLast() bool { return p.block == blockRows }

func (p part) write(ctx context.Context, conn driver.Conn) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time": 3600, "max_block_size": min(p.block, 65_536),
		"min_insert_block_size_rows": p.block, "min_insert_block_size_bytes": 0,
	}))
	args := []any{
		clickhouse.Named("first", p.first), clickhouse.Named("count", p.count),
		clickhouse.Named("from", p.from.UnixMilli()), clickhouse.Named("span", p.until.Sub(p.from).Milliseconds()),
	}
	for _, name := range []string{"events", "repeats", "decisions", "runs", "deliveries"} {
		if name == "repeats" && !p.isLast() {
			continue // they have been merged since
		}
		sql, err := statements.ReadFile("fill/" + name + ".sql")
		if err != nil {
			return err
		}
		if err := conn.Exec(ctx, string(sql), args...); err != nil {
			return fmt.Errorf("filling %s of %s: %w", name, p.from.Format(time.DateOnly), err)
		}
	}
	return nil
}

// settle makes one part of a day that is over, as ClickHouse does an hour after its last insert.
func (p part) settle(ctx context.Context, conn driver.Conn) error {
	if p.isLast() {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": 3600, "optimize_skip_merged_partitions": 1}))
	for _, table := range []string{"events", "decisions", "runs", "deliveries"} {
		sql := "OPTIMIZE TABLE " + table + " PARTITION " + p.from.Format("20060102") + " FINAL"
		if err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("merging %s of %s: %w", table, p.from.Format(time.DateOnly), err)
		}
	}
	return nil
}

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
