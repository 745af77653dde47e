package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/cespare/xxhash/v2"

	"github.com/millrace/millrace/schemas"
)

// sum is the hash that ClickHouse calls xxHash64.
func sum(body []byte) uint64 { return xxhash.Sum64(body) }

// checkClickHouse waits until ClickHouse has as many rows as Kafka has records and compares them: events with their
// bodies' hashes, decisions and runs by their IDs, deliveries and dead letters by their places. Each counts under FINAL.
func (l *Ledger) checkClickHouse(t testing.TB, b *book, wrong *problems, report *Report) {
	t.Helper()
	if l.options.ClickHouse == "" {
		return
	}
	parsed, err := clickhouse.ParseDSN(l.options.ClickHouse)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(parsed)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), l.options.Patience)
	defer cancel()
	for _, table := range l.tables(b) {
		report.Rows += len(table.want)
		if table.name == "quarantine" {
			report.Quarantined = len(table.want)
		}
		got, err := awaitRows(ctx, conn, table)
		if err != nil {
			t.Fatalf("reading %s from ClickHouse: %v", table.name, err)
		}
		if !slices.Equal(got, table.want) {
			wrong.add("ClickHouse's %s has %d rows and Kafka %d, or others: %s", table.name, len(got), len(table.want), firstDifference(got, table.want))
		}
	}
}

// table is what a table must hold, each row as one sorted text.
type table struct {
	name, query string
	want        []string
}

func (l *Ledger) tables(b *book) []table {
	var events, quarantine, decisions, runs, deliveries, dead []string
	for _, e := range b.events {
		if l.options.Refused(e.number) {
			quarantine = append(quarantine, fmt.Sprintf("%d/%d", e.at.partition, e.at.offset))
		} else {
			events = append(events, fmt.Sprintf("%d/%d %d", e.at.partition, e.at.offset, e.bodySum))
		}
	}
	for _, at := range b.foreign {
		quarantine = append(quarantine, fmt.Sprintf("%d/%d", at.partition, at.offset))
	}
	for id := range b.decisions {
		decisions = append(decisions, id)
	}
	for id := range b.runs {
		runs = append(runs, id)
	}
	for topic, into := range map[string]*[]string{schemas.DeliveriesTopic: &deliveries, schemas.DeadRunsTopic: &dead} {
		for _, at := range b.places[topic] {
			*into = append(*into, fmt.Sprintf("%d/%d", at.partition, at.offset))
		}
	}
	all := []table{
		{"events", "SELECT concat(toString(partition), '/', toString(offset), ' ', toString(xxHash64(body))) FROM events FINAL", events},
		{"quarantine", "SELECT concat(toString(partition), '/', toString(offset)) FROM quarantine FINAL", quarantine},
		{"decisions", "SELECT toString(event_id) FROM decisions FINAL", decisions},
		{"runs", "SELECT toString(run_id) FROM runs FINAL", runs},
		{"deliveries", "SELECT concat(toString(partition), '/', toString(offset)) FROM deliveries FINAL", deliveries},
		{"dead_letters", "SELECT concat(toString(partition), '/', toString(offset)) FROM dead_letters FINAL", dead},
	}
	for i := range all {
		slices.Sort(all[i].want)
	}
	return all
}

// awaitRows returns the rows once there are as many as there must be, or those there are when the time is over.
func awaitRows(ctx context.Context, conn driver.Conn, table table) ([]string, error) {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		var count uint64
		err := conn.QueryRow(ctx, "SELECT count() FROM "+table.name+" FINAL").Scan(&count)
		if err == nil && count >= uint64(len(table.want)) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %d rows, of which there are %d: %w", len(table.want), count, errors.Join(err, ctx.Err()))
		case <-ticks.C:
		}
	}
	rows, err := column(ctx, conn, table.query)
	slices.Sort(rows)
	return rows, err
}

func column(ctx context.Context, conn driver.Conn, query string) ([]string, error) {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what went wrong rows.Err says
	var all []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, rows.Err()
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return want[i] + " is missing"
		case i >= len(want):
			return got[i] + " should not be"
		case got[i] != want[i]:
			return fmt.Sprintf("there is %s where %s must be", got[i], want[i])
		}
	}
	return "none"
}
