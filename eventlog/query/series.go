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

// lines counts by value and step, then puts the values that are not among the top together. What has few values has a count of
// each step in one go, which takes a third of the time; of any number of values only the steps are kept that they occur in.
func (l *Log) lines(ctx context.Context, of groups, in steps, top int) ([]Line, error) {
	step, stepArgs := in.number("received_at")
	rows, args, err := l.once(ctx, of.value+" AS value, "+step+" AS step", of.table, of.selected)
	if err != nil {
		return nil, err
	}
	const ranked = ", row_number() OVER (ORDER BY total DESC, value) > {top:UInt32} AS other"
	const line = "SELECT other, if(other, NULL, CAST(value AS Nullable(String))) AS line, "
	const inOrder = " GROUP BY other, line ORDER BY other, events DESC, line"
	resample := fmt.Sprintf("Resample(0, %d, 1)", in.count)
	sql := line + "sum(total) AS events, sumForEach(cells) FROM (SELECT value, count" + resample + "(step) AS cells, arraySum(cells) AS total" +
		ranked + " FROM " + rows + " GROUP BY value)" + inOrder
	if of.isOfMany {
		sql = line + "sum(cell) AS events, sum" + resample + "(cell, step) FROM (SELECT value, sum(events) AS total, groupArray(step) AS steps, groupArray(events) AS cells" +
			ranked + " FROM (SELECT value, step, count() AS events FROM " + rows + " GROUP BY value, step) GROUP BY value)" +
			" ARRAY JOIN steps AS step, cells AS cell" + inOrder
	}
	args = append(append(args, stepArgs...), of.args...)
	lines := []Line{}
	err = l.rows(ctx, "series", sql, append(args, clickhouse.Named("top", top)), func(rows driver.Rows) error {
		var line Line
		err := rows.Scan(&line.Other, &line.Value, &line.Total, &line.Counts)
		lines = append(lines, line)
		return err
	})
	return lines, err
}
