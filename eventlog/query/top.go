package query

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// TopFilter says what is counted, and by what.
type TopFilter struct {
	Selection        // Since is a day ago where it is zero, Until now
	By        string // "" is event
	Limit     int    // 1 to MaxLimit; 0 is DefaultValues
}

// DefaultValues is how many values are listed when nothing is asked for.
const DefaultValues = 20

// Top says which values events have most often.
type Top struct {
	By    string     `json:"by"`
	Since time.Time  `json:"since"`
	Until time.Time  `json:"until"`
	Total uint64     `json:"total"` // all events that were counted
	Items []TopValue `json:"items"` // the most frequent first
}

// TopValue is one of them.
type TopValue struct {
	Value *string `json:"value"` // nil where events have none
	Count uint64  `json:"count"`
}

// Top counts the events of a selection by what they have most often. A bad filter is a *FilterError, and what takes too
// much a *LimitError.
func (l *Log) Top(ctx context.Context, asked TopFilter) (Top, error) {
	asked.By, asked.Limit = cmp.Or(asked.By, "event"), cmp.Or(asked.Limit, DefaultValues)
	if asked.Limit < 1 || asked.Limit > MaxLimit {
		return Top{}, &FilterError{"limit", fmt.Sprintf("must be 1 to %d", MaxLimit)}
	}
	steps, err := newSteps(asked.Since, asked.Until, All, All)
	if err != nil {
		return Top{}, err
	}
	asked.Since, asked.Until = steps.since, steps.until
	groups, err := newGroups(asked.Selection, asked.By)
	if err != nil {
		return Top{}, err
	}
	top := Top{By: asked.By, Since: steps.since, Until: steps.until, Items: []TopValue{}}
	rows, args, err := l.once(ctx, groups.value+" AS value", groups.table, groups.selected)
	if err != nil {
		return Top{}, err
	}
	sql := "SELECT CAST(value AS Nullable(String)), count() AS events, sum(events) OVER () FROM " + rows +
		" GROUP BY value ORDER BY events DESC, value LIMIT {size:UInt32}"
	args = append(append(args, groups.args...), clickhouse.Named("size", asked.Limit))
	err = l.rows(ctx, "top", sql, args, func(rows driver.Rows) error {
		var item TopValue
		err := rows.Scan(&item.Value, &item.Count, &top.Total)
		top.Items = append(top.Items, item)
		return err
	})
	return top, err
}
