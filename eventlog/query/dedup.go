package query

import (
	"cmp"
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DedupFilter says which decisions are counted. An empty member does not restrict.
type DedupFilter struct {
	Source      string // ID
	Environment string
	Event       string    // name
	Triggers    []string  // IDs, up to MaxLimit: only these, and events that one of them was asked about
	Since       time.Time // of received_at; zero for a day ago
	Until       time.Time // excluded; zero for now
	Interval    Interval  // "" is All
}

// Dedup says how many events were repeats, and how many triggers matched.
type Dedup struct {
	Since    time.Time      `json:"since"`
	Until    time.Time      `json:"until"`
	Items    []DedupItem    `json:"items"`    // by time; steps without an event are left out
	Triggers []TriggerMatch `json:"triggers"` // those asked most often first, at most MaxLimit
}

// DedupItem is about the events of one step.
type DedupItem struct {
	At         time.Time `json:"at"`     // when the step begins
	Events     uint64    `json:"events"` // that were decided about
	Duplicates uint64    `json:"duplicates"`
	Processed  uint64    `json:"processed"`
	NoTrigger  uint64    `json:"no_trigger"`
	Failed     uint64    `json:"failed"`
	Matched    uint64    `json:"matched"`    // that started a run
	DedupRate  float64   `json:"dedup_rate"` // Duplicates of Events, 0 to 1
	MatchRate  float64   `json:"match_rate"` // Matched of the others, 0 to 1
}

// TriggerMatch says what one trigger did with the events it was asked about.
type TriggerMatch struct {
	TriggerID      string  `json:"trigger_id"`
	Workflow       string  `json:"workflow"` // at its latest revision
	Considered     uint64  `json:"considered"`
	Matched        uint64  `json:"matched"`
	ConditionFalse uint64  `json:"condition_false"`
	Inactive       uint64  `json:"inactive"`
	MappingError   uint64  `json:"mapping_error"`
	ConditionError uint64  `json:"condition_error"`
	MatchRate      float64 `json:"match_rate"` // Matched of Considered, 0 to 1
}

// Dedup measures how many events were repeats, and how many triggers matched. A bad filter is a *FilterError, and what
// takes too much a *LimitError.
func (l *Log) Dedup(ctx context.Context, asked DedupFilter) (Dedup, error) {
	steps, err := newSteps(asked.Since, asked.Until, cmp.Or(asked.Interval, All), Minute, Hour, Day, All)
	if err != nil {
		return Dedup{}, err
	}
	decided := Selection{Source: asked.Source, Environment: asked.Environment, Event: asked.Event, Since: steps.since, Until: steps.until}.shared()
	decided.live()
	if err := decided.askedOf(asked.Triggers); err != nil {
		return Dedup{}, err
	}
	answer := Dedup{Since: steps.since, Until: steps.until}
	if answer.Items, err = l.dedupItems(ctx, decided, steps); err != nil {
		return Dedup{}, err
	}
	answer.Triggers, err = l.triggerMatches(ctx, decided, len(asked.Triggers) > 0)
	return answer, err
}

func (l *Log) dedupItems(ctx context.Context, decided *filter, steps steps) ([]DedupItem, error) {
	step, stepArgs := steps.number("received_at")
	rows, args, err := l.once(ctx, step+" AS step, status, triggers.outcome AS outcomes", "decisions", decided)
	if err != nil {
		return nil, err
	}
	sql := "SELECT step, count(), countIf(status = 'duplicate'), countIf(status = 'processed'), countIf(status = 'no_trigger')," +
		" countIf(status = 'failed'), countIf(has(outcomes, 'matched')) FROM " + rows + " GROUP BY step ORDER BY step"
	items := []DedupItem{}
	err = l.rows(ctx, "decisions", sql, append(args, stepArgs...), func(rows driver.Rows) error {
		var item DedupItem
		var number int64
		err := rows.Scan(&number, &item.Events, &item.Duplicates, &item.Processed, &item.NoTrigger, &item.Failed, &item.Matched)
		item.At = steps.at(number)
		item.DedupRate, item.MatchRate = rate(item.Duplicates, item.Events), rate(item.Matched, item.Events-item.Duplicates)
		items = append(items, item)
		return err
	})
	return items, err
}

// triggerMatches counts by trigger: all of those that were asked, or only the ones that decided is restricted to.
func (l *Log) triggerMatches(ctx context.Context, decided *filter, only bool) ([]TriggerMatch, error) {
	rows, args, err := l.once(ctx, "triggers.trigger_id, triggers.workflow, triggers.revision, triggers.outcome", "decisions", decided)
	if err != nil {
		return nil, err
	}
	restriction := new(filter)
	if only {
		restriction.add("trigger IN {triggers:Array(String)}")
	}
	sql := "SELECT trigger, argMax(workflow, revision), count() AS considered, countIf(outcome = 'matched'), countIf(outcome = 'condition_false')," +
		" countIf(outcome = 'inactive'), countIf(outcome = 'mapping_error'), countIf(outcome = 'condition_error')" +
		" FROM " + rows +
		" ARRAY JOIN triggers.trigger_id AS trigger, triggers.workflow AS workflow, triggers.revision AS revision, triggers.outcome AS outcome" +
		restriction.sql() + " GROUP BY trigger ORDER BY considered DESC, trigger LIMIT {size:UInt32}"
	matches := []TriggerMatch{}
	args = append(args, clickhouse.Named("size", MaxLimit))
	err = l.rows(ctx, "decisions", sql, args, func(rows driver.Rows) error {
		var m TriggerMatch
		err := rows.Scan(&m.TriggerID, &m.Workflow, &m.Considered, &m.Matched, &m.ConditionFalse, &m.Inactive, &m.MappingError, &m.ConditionError)
		m.MatchRate = rate(m.Matched, m.Considered)
		matches = append(matches, m)
		return err
	})
	return matches, err
}

// rate is a part of a whole, 0 where there is nothing.
func rate(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
