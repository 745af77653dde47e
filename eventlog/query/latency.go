package query

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// LatencyFilter says of which calls the times are asked for. An empty member does not restrict.
type LatencyFilter struct {
	Environment string
	Workflow    string
	Since       time.Time // of the attempt; zero for a day ago
	Until       time.Time // excluded; zero for now
	Interval    Interval  // "" is All
}

// Latency says how long deliveries took.
type Latency struct {
	Since time.Time     `json:"since"`
	Until time.Time     `json:"until"`
	Items []LatencyItem `json:"items"` // by workflow, then by time
}

// LatencyItem is about the calls for one workflow in one step.
type LatencyItem struct {
	Workflow    string     `json:"workflow"`
	At          time.Time  `json:"at"` // when the step begins
	Attempts    uint64     `json:"attempts"`
	Delivered   uint64     `json:"delivered"`
	Retrying    uint64     `json:"retrying"`
	Dead        uint64     `json:"dead"`
	CallMs      *Quantiles `json:"call_ms"`      // how long calls took
	DeliveredMs *Quantiles `json:"delivered_ms"` // from receiving the event to the end of the call that delivered its run, replays left out; nil where none did
}

// Quantiles are in milliseconds, and approximate but for Max.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Latency measures how long deliveries took. A bad filter is a *FilterError, and what takes too much a *LimitError.
//
// When an event was received is in its ID. An attempt counts in the step in which it was made.
func (l *Log) Latency(ctx context.Context, asked LatencyFilter) (Latency, error) {
	steps, err := newSteps(asked.Since, asked.Until, cmp.Or(asked.Interval, All), Minute, Hour, Day, All)
	if err != nil {
		return Latency{}, err
	}
	var where filter
	where.equals("environment", asked.Environment)
	where.equals("workflow", asked.Workflow)
	step, args := steps.number("attempted_at")
	replayed := filter{conditions: slices.Clone(where.conditions)}
	where.between("attempted_at", steps.since, steps.until)
	replayed.add("replay_id != ''")
	const whole = "dateDiff('millisecond', UUIDv7ToDateTime(event_id, 'UTC'), attempted_at) + latency_ms"
	rows, bound, err := l.once(ctx, "workflow, outcome, run_id, event_id, attempted_at, latency_ms", "deliveries", &where)
	if err != nil {
		return Latency{}, err
	}
	sql := "WITH outcome = 'delivered' AND run_id NOT IN (SELECT run_id FROM runs" + replayed.sql() + ") AS live SELECT workflow, " + step + " AS step, count(), countIf(outcome = 'delivered') AS delivered, countIf(outcome = 'retrying'), countIf(outcome = 'dead')," +
		" quantilesTDigest(0.5, 0.9, 0.95, 0.99)(latency_ms), max(latency_ms)," +
		" quantilesTDigestIf(0.5, 0.9, 0.95, 0.99)(" + whole + ", live), maxIf(" + whole + ", live), countIf(live)" +
		" FROM " + rows + " GROUP BY workflow, step ORDER BY workflow, step"
	answer := Latency{Since: steps.since, Until: steps.until, Items: []LatencyItem{}}
	err = l.rows(ctx, "latency", sql, append(args, bound...), func(rows driver.Rows) error {
		var item LatencyItem
		var number int64
		var call, delivered []float32
		var longestCall, longest float64
		var live uint64
		err := rows.Scan(&item.Workflow, &number, &item.Attempts, &item.Delivered, &item.Retrying, &item.Dead, &call, &longestCall, &delivered, &longest, &live)
		item.At, item.CallMs = steps.at(number), newQuantiles(call, longestCall)
		if live > 0 {
			item.DeliveredMs = newQuantiles(delivered, longest)
		}
		answer.Items = append(answer.Items, item)
		return err
	})
	return answer, err
}

func newQuantiles(values []float32, longest float64) *Quantiles {
	if len(values) != 4 {
		return nil
	}
	return &Quantiles{float64(values[0]), float64(values[1]), float64(values[2]), float64(values[3]), longest}
}
