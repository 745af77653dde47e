package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/eventlog"
)

// copy runs the event log, as it is by default, until the backlog is in the tables. It measures from the first insert that
// is seen: neither the role's start nor that of its group is in it.
func (t *turn) copy(ctx context.Context, m meter) (cost, error) {
	registry := prometheus.NewRegistry()
	role, err := eventlog.New(t.config, t.cluster, t.conn, registry, t.logger)
	if err != nil {
		return cost{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- role.Run(ctx) }()
	first, err := await(ctx, m, registry, 1)
	if err != nil {
		stop()
		return cost{}, errors.Join(err, <-ended)
	}
	last, err := await(ctx, m, registry, t.load.rows())
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return cost{}, err
	}
	if inserted, err := t.count(context.WithoutCancel(ctx), func(table string) string { return table }); err != nil || inserted != t.load.rows() {
		return cost{}, errors.Join(fmt.Errorf("%d of %d rows are there", inserted, t.load.rows()), err)
	}
	return first.until(last)
}

// await reads the meter when so many rows are acknowledged. The role itself says how many: to ask the engine would cost it.
func await(ctx context.Context, m meter, role prometheus.Gatherer, rows int) (reading, error) {
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for {
		there, err := acknowledged(role)
		if err != nil {
			return reading{}, err
		}
		if there >= rows {
			return m.read(there)
		}
		select {
		case <-ctx.Done():
			return reading{}, ctx.Err()
		case <-ticks.C:
		}
	}
}

func acknowledged(role prometheus.Gatherer) (int, error) {
	families, err := role.Gather()
	if err != nil {
		return 0, fmt.Errorf("asking the event log: %w", err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != "millrace_eventlog_rows_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			sum += metric.GetCounter().GetValue()
		}
	}
	return int(sum), nil
}

// count counts the rows of the load's tables, or of those that are named after them.
func (t *turn) count(ctx context.Context, name func(string) string) (int, error) {
	var sum uint64
	for _, table := range t.load.tables {
		var rows uint64
		if err := t.conn.QueryRow(ctx, "SELECT count() FROM "+name(table)).Scan(&rows); err != nil {
			return 0, fmt.Errorf("counting the rows of %s: %w", name(table), err)
		}
		sum += rows
	}
	return int(sum), nil
}
