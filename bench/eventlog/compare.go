package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/twmb/franz-go/pkg/kgo"

	table "github.com/millrace/millrace/bench/results"
	"github.com/millrace/millrace/bench/sample"
)

// workload is a backlog, and the tables that get a row for each event of it.
type workload struct {
	name   string
	tables []string
	events int
	next   func(*maker) ([]*kgo.Record, error)
}

// workloads are events alone, and, fewer of them, events with all that becomes of them.
func workloads(events int) []workload {
	return []workload{
		{"events", []string{"events"}, events, func(m *maker) ([]*kgo.Record, error) {
			event, _, err := m.event()
			return []*kgo.Record{event}, err
		}},
		{"events, decisions, runs, deliveries", []string{"events", "decisions", "runs", "deliveries"}, events / 2, (*maker).story},
	}
}

func (l workload) rows() int { return len(l.tables) * l.events }

// compare lets the event log and the bare insert take turns and prints each turn, the medians, and what rows take on disk.
func compare(ctx context.Context, w *world, samples []sample.Sample, load workload, rounds int) ([]table.Row, error) {
	fmt.Printf("%s: %d rows\n", load.name, load.rows())
	var ours, theirs []cost
	for round := range rounds {
		ourCost, theirCost, err := both(ctx, w, samples, load, round == rounds-1)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		fmt.Printf("round %d  event log    %s\nround %d  bare insert  %s\n", round+1, ourCost, round+1, theirCost)
		ours, theirs = append(ours, ourCost), append(theirs, theirCost)
	}
	reached, limit := medians(ours), medians(theirs)
	fmt.Printf("median   event log    %s\nmedian   bare insert  %s\nratio    %.2f\n\n", reached, limit, reached.perSecond/limit.perSecond)
	return rows(load.name, reached, limit), nil
}

// both is a round. The rows of the bare insert are those that the event log has inserted.
func both(ctx context.Context, w *world, samples []sample.Sample, load workload, isLast bool) (ours, theirs cost, err error) {
	t, err := w.fill(ctx, samples, load)
	if err != nil {
		return ours, theirs, err
	}
	defer func() { err = errors.Join(err, t.drop(ctx)) }()
	if ours, err = t.copy(ctx, w.meter); err != nil {
		return ours, theirs, err
	}
	if isLast {
		if err := t.printDisk(ctx); err != nil {
			return ours, theirs, err
		}
	}
	if theirs, err = t.insertBare(ctx, w.meter); err != nil {
		return ours, theirs, err
	}
	runtime.GC() // the columns are not to be in the event log's way in the next round
	return ours, theirs, nil
}

func rows(load string, ours, theirs cost) []table.Row {
	row := func(what, unit string, ours, theirs float64) table.Row {
		return table.Row{Section: "event log", What: what, Unit: unit, Ours: ours, Beside: "bare clickhouse-go", Theirs: theirs}
	}
	return []table.Row{
		row("inserted: "+load, "rows/s", ours.perSecond, theirs.perSecond),
		row("CPU of the client: "+load, "us/row", ours.client, theirs.client),
		row("CPU of the engine: "+load, "us/row", ours.engine, theirs.engine),
	}
}
