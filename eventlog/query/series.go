package query

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// SeriesFilter says what is counted over time.
type SeriesFilter struct {
	Selection          // Since is a day ago where it is zero, Until now
	By        string   // what newGroups can count by, or outcome: what Trigger did
	Trigger   string   // ID; only with By outcome
	Interval  Interval // Minute, Hour or Day; "" is Hour
	Top       int      // how many values have a line of their own, 1 to MaxTop; 0 is DefaultTop
}

// How many values of a series have a line of their own: when nothing is asked for, and at most.
const (
	DefaultTop = 10
	MaxTop     = 50
)

// Series counts events over time.
type Series struct {
	Interval Interval    `json:"interval"`
	Since    time.Time   `json:"since"` // the beginning of the first step
	Until    time.Time   `json:"until"`
	Times    []time.Time `json:"times"`  // when each step begins
	Series   []Line      `json:"series"` // the most frequent value first, the others last
}

// Line is the counts of one value.
type Line struct {
	Value  *string  `json:"value"` // nil where events have none, and for Other
	Other  bool     `json:"other"` // all values that have no line of their own
	Total  uint64   `json:"total"`
	Counts []uint64 `json:"counts"` // one for each of Times
}

// Series counts the events of a selection over time, in a line for each of the most frequent values. A bad filter is a
// *FilterError, and what takes too much a *LimitError.
func (l *Log) Series(ctx context.Context, asked SeriesFilter) (Series, error) {
	if asked.Interval == "" {
		asked.Interval = Hour
	}
	steps, err := newSteps(asked.Since, asked.Until, asked.Interval, Minute, Hour, Day)
	if err != nil {
		return Series{}, err
	}
	if asked.Top == 0 {
		asked.Top = DefaultTop
	}
	if asked.Top < 1 || asked.Top > MaxTop {
		return Series{}, &FilterError{"top", fmt.Sprintf("must be 1 to %d", MaxTop)}
	}
	asked.Since, asked.Until = steps.since, steps.until
	groups, err := asked.groups()
	if err != nil {
		return Series{}, err
	}
	answer := Series{Interval: asked.Interval, Since: steps.since, Until: steps.until, Times: make([]time.Time, steps.count)}
	for i := range answer.Times {
		answer.Times[i] = steps.at(int64(i))
	}
	answer.Series, err = l.lines(ctx, groups, steps, asked.Top)
	return answer, err
}

func (f SeriesFilter) groups() (groups, error) {
	if f.By == "outcome" {
		return byOutcome(f.Selection, f.Trigger)
	}
	if f.Trigger != "" {
		return groups{}, &FilterError{"trigger", "has a meaning with by=outcome only"}
	}
	return newGroups(f.Selection, f.By)
}

// lines counts by step and value, then puts the steps of a value together, then the values that are not among the top.
func (l *Log) lines(ctx context.Context, of groups, in steps, top int) ([]Line, error) {
	step, stepArgs := in.number("received_at")
	rows, args, err := l.once(ctx, of.value+" AS value, "+step+" AS step", of.table, of.selected)
	if err != nil {
		return nil, err
	}
	sql := "SELECT rank > {top:UInt32} AS other, if(other, NULL, CAST(value AS Nullable(String))) AS line, sum(total) AS events, sumMap(steps, counts) AS cells FROM (" +
		"SELECT value, sum(events) AS total, groupArray(step) AS steps, groupArray(events) AS counts," +
		" row_number() OVER (ORDER BY total DESC, value) AS rank FROM (" +
		"SELECT value, step, count() AS events FROM " + rows +
		" GROUP BY value, step) GROUP BY value) GROUP BY other, line ORDER BY other, events DESC, line"
	args = append(append(args, stepArgs...), of.args...)
	lines := []Line{}
	err = l.rows(ctx, "series", sql, append(args, clickhouse.Named("top", top)), func(rows driver.Rows) error {
		line := Line{Counts: make([]uint64, in.count)}
		var other uint8
		var cells struct {
			Steps  []int64
			Counts []uint64
		}
		var tuple []any
		if err := rows.Scan(&other, &line.Value, &line.Total, &tuple); err != nil {
			return err
		}
		cells.Steps, _ = tuple[0].([]int64)
		cells.Counts, _ = tuple[1].([]uint64)
		for i, number := range cells.Steps {
			line.Counts[number] = cells.Counts[i]
		}
		line.Other = other == 1
		lines = append(lines, line)
		return nil
	})
	return lines, err
}
