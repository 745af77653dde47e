package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/bench/sample"
)

// storyTables are the tables that get a row for each event.
func storyTables() []string { return []string{"events", "decisions", "runs", "deliveries"} }

// measureAll copies events with their decisions, runs and deliveries, and prints how fast, and what their rows take.
func measureAll(ctx context.Context, w *world, samples []sample.Sample, events int) (err error) {
	t, err := w.load(ctx, samples, events, func(m *maker) ([]*kgo.Record, error) { return m.story() })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.drop(ctx)) }()
	took, err := t.copy(ctx, storyTables()...)
	if err != nil {
		return err
	}
	fmt.Printf("%d events with decisions, runs and deliveries: %.0f rows/s in all\n\n", events, perSecond(len(storyTables())*events, took))
	fmt.Printf("%-12s %14s %20s\n", "table", "bytes a row", "uncompressed bytes")
	for _, table := range storyTables() {
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
