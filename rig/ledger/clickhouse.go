package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
func (l *Ledger) checkClickHouse(ctx context.Context, b *book, wrong *problems, report *Report) error {
	if l.options.ClickHouse == "" {
		return nil
	}
	parsed, err := clickhouse.ParseDSN(l.options.ClickHouse)
	if err != nil {
		return fmt.Errorf("reading the DSN of ClickHouse: %w", err)
	}
	parsed.DialContext = l.options.DialClickHouse
	conn, err := clickhouse.Open(parsed)
	if err != nil {
		return fmt.Errorf("connecting to ClickHouse: %w", err)
	}
	defer conn.Close()
	waiting, cancel := context.WithTimeout(ctx, l.options.Patience)
	defer cancel()
	for _, table := range l.tables(b) {
		report.Rows += len(table.want)
		if strings.HasPrefix(table.from, "quarantine") {
			report.Quarantined = len(table.want)
		}
		awaitRows(waiting, conn, table)
		got, err := column(ctx, conn, "SELECT "+table.row+" FROM "+table.from)
		if err != nil {
			return fmt.Errorf("reading %s from ClickHouse: %w", table.from, err)
		}
		slices.Sort(got)
		if !slices.Equal(got, table.want) {
			wrong.add("ClickHouse's %s has %d rows and Kafka %d, or others: %s", table.from, len(got), len(table.want), firstDifference(got, table.want))
		}
	}
	return nil
}

// table is what a table must hold, each row as one sorted text.
type table struct {
	from string // with what is to be counted of it
	row  string // SQL for the text
	want []string
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
	for id, copies := range b.decisions {
		decisions = append(decisions, id+" "+string(copies[0].Status))
	}
	for id, run := range b.runs {
		runs = append(runs, fmt.Sprintf("%s %d", id, sum(run.request)))
	}
	for topic, into := range map[string]*[]string{schemas.DeliveriesTopic: &deliveries, schemas.DeadRunsTopic: &dead} {
		for _, at := range b.places[topic] {
			*into = append(*into, fmt.Sprintf("%d/%d", at.partition, at.offset))
		}
	}
	const place = "concat(toString(partition), '/', toString(offset))"
	all := []table{
		{"events FINAL", "concat(" + place + ", ' ', toString(xxHash64(body)))", events},
		{"quarantine FINAL", place, quarantine},
		{"decisions FINAL WHERE replay_id = ''", "concat(toString(event_id), ' ', status)", decisions},
		{"runs FINAL", "concat(toString(run_id), ' ', toString(xxHash64(request)))", runs},
		{"deliveries FINAL", place, deliveries},
		{"dead_letters FINAL", place, dead},
	}
	for i := range all {
		slices.Sort(all[i].want)
	}
	return all
}

// awaitRows waits until there are as many rows as there must be, and no longer than ctx allows.
func awaitRows(ctx context.Context, conn driver.Conn, table table) {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		var count uint64
		err := conn.QueryRow(ctx, "SELECT count() FROM "+table.from).Scan(&count)
		if err == nil && count >= uint64(len(table.want)) {
			return
		}
		select {
		case <-ctx.Done():
			return // what is missing, the comparison says
		case <-ticks.C:
		}
	}
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
