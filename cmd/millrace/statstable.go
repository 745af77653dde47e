package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/guptarohit/asciigraph"

	"github.com/millrace/millrace/eventlog/query"
)

// chartHeight is in lines. The chart is as wide as there are steps: stretched, it would show counts that were not there.
const chartHeight = 5

func (s stats) write(out io.Writer) error {
	fmt.Fprintf(out, "%d events from %s to %s\n\n", s.top.Total, stamp(s.top.Since), stamp(s.top.Until))
	if counts := s.perStep(); len(counts) > 1 && slices.Max(counts) > 0 {
		fmt.Fprintln(out, asciigraph.Plot(counts, asciigraph.Height(chartHeight), asciigraph.LowerBound(0), asciigraph.Precision(0)))
		fmt.Fprintf(out, "events decided about, by the %s\n\n", s.series.Interval)
	}
	for _, table := range []func(*tabwriter.Writer){s.writeStatuses, s.writeTop, s.writeRates, s.writeTriggers, s.writeLatency} {
		columns := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		table(columns)
		if err := columns.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// perStep adds up the lines of the series.
func (s stats) perStep() []float64 {
	counts := make([]float64, len(s.series.Times))
	for _, line := range s.series.Series {
		for i, count := range line.Counts {
			counts[i] += float64(count)
		}
	}
	return counts
}

// writeStatuses counts by status. What is not decided about has none, and is what the others leave of all events.
func (s stats) writeStatuses(table *tabwriter.Writer) {
	row(table, "STATUS", "EVENTS", "SHARE")
	decided := uint64(0)
	for _, line := range s.series.Series {
		row(table, valueOr(line.Value, "-"), line.Total, share(line.Total, s.top.Total))
		decided += line.Total
	}
	if decided < s.top.Total {
		row(table, "undecided", s.top.Total-decided, share(s.top.Total-decided, s.top.Total))
	}
}

func (s stats) writeTop(table *tabwriter.Writer) {
	fmt.Fprintln(table)
	row(table, "EVENT", "EVENTS", "SHARE")
	for _, item := range s.top.Items {
		row(table, valueOr(item.Value, "-"), item.Count, share(item.Count, s.top.Total))
	}
}

func (s stats) writeRates(table *tabwriter.Writer) {
	for _, item := range s.dedup.Items {
		fmt.Fprintln(table)
		row(table, "repeats", percent(item.DedupRate), "of the events decided about")
		row(table, "matched", percent(item.MatchRate), "of the others started a run")
	}
}

func (s stats) writeTriggers(table *tabwriter.Writer) {
	if len(s.dedup.Triggers) == 0 {
		return
	}
	fmt.Fprintln(table)
	row(table, "TRIGGER", "WORKFLOW", "ASKED", "MATCHED", "FALSE", "INACTIVE", "ERRORS")
	for _, t := range s.dedup.Triggers {
		row(table, t.TriggerID, t.Workflow, t.Considered, t.Matched, t.ConditionFalse, t.Inactive, t.MappingError+t.ConditionError)
	}
}

func (s stats) writeLatency(table *tabwriter.Writer) {
	if len(s.latency.Items) == 0 {
		return
	}
	fmt.Fprintln(table)
	row(table, "WORKFLOW", "CALLS", "DELIVERED", "RETRYING", "DEAD", "CALL P50", "P95", "P99", "MAX", "FROM EVENT P50", "P95", "P99", "MAX ms")
	for _, item := range s.latency.Items {
		cells := []any{item.Workflow, item.Attempts, item.Delivered, item.Retrying, item.Dead}
		row(table, append(append(cells, quantiles(item.CallMs)...), quantiles(item.DeliveredMs)...)...)
	}
}

// quantiles are four cells, in milliseconds.
func quantiles(q *query.Quantiles) []any {
	if q == nil {
		return []any{"-", "-", "-", "-"}
	}
	return []any{milliseconds(q.P50), milliseconds(q.P95), milliseconds(q.P99), milliseconds(q.Max)}
}

func milliseconds(ms float64) string { return fmt.Sprintf("%.1f", ms) }

func valueOr(value *string, meaning string) string {
	if value == nil {
		return meaning
	}
	return *value
}

func share(part, whole uint64) string { return percent(float64(part) / float64(max(whole, 1))) }

func percent(rate float64) string { return fmt.Sprintf("%.1f %%", 100*rate) }
