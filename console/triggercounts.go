package console

import (
	"context"
	"net/url"
	"slices"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// outcomeCounts are what a trigger did within a day.
type outcomeCounts struct {
	query.TriggerMatch
	Chart chart
}

// outcomeTone is the colour of an outcome in a chart, where two of the same tone must not look the same.
type outcomeTone struct {
	outcome schemas.Outcome
	tone    string
}

// outcomeTones are in the order in which they stand on each other.
func outcomeTones() []outcomeTone {
	return []outcomeTone{
		{schemas.Matched, "good"}, {schemas.ConditionFalse, "idle"}, {schemas.Inactive, "faint"}, {schemas.MappingError, "bad"}, {schemas.ConditionError, "a2"},
	}
}

// countOutcomes counts what the trigger that the filter names did, by the hour.
func countOutcomes(ctx context.Context, client *api.Client, filter url.Values) (outcomeCounts, error) {
	asked := with(with(with(filter, "by", "outcome"), "interval", string(query.Hour)), "since", "24h")
	counted, err := client.Series(ctx, asked)
	if err != nil {
		return outcomeCounts{}, err
	}
	found := outcomeCounts{Chart: chart{Title: "By the hour", Step: string(query.Hour), Times: counted.Times}}
	for _, known := range outcomeTones() {
		at := slices.IndexFunc(counted.Series, func(l query.Line) bool { return l.Value != nil && *l.Value == string(known.outcome) })
		if at < 0 {
			continue
		}
		counts := counted.Series[at]
		found.Chart.Lines = append(found.Chart.Lines, line{Name: words(known.outcome), Tone: known.tone, Counts: counts.Counts, Total: counts.Total})
		found.add(known.outcome, counts.Total)
	}
	if found.Considered > 0 {
		found.MatchRate = float64(found.Matched) / float64(found.Considered)
	}
	found.Chart, err = found.Chart.drawn()
	return found, err
}

func (c *outcomeCounts) add(outcome schemas.Outcome, count uint64) {
	c.Considered += count
	switch outcome {
	case schemas.Matched:
		c.Matched = count
	case schemas.ConditionFalse:
		c.ConditionFalse = count
	case schemas.Inactive:
		c.Inactive = count
	case schemas.MappingError:
		c.MappingError = count
	case schemas.ConditionError:
		c.ConditionError = count
	}
}
