package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// newestFirst is a table of which the newest items are asked for, a page at a time.
type newestFirst[Item any] struct {
	log   *Log
	table string
	at    string                                 // the column of its times
	where func(since time.Time) (*filter, error) // what is asked for, as far back as that
	// read returns at most so many items, each once, or fewer with errEnough.
	read func(ctx context.Context, where *filter, size int) ([]Item, error)
}

// page looks for the newest items before a time in five minutes, then in an hour, a day, a week and all that was asked for.
// No table can be read from its end, nor is any condition that few items meet found by an index: most pages are full long
// before, in a dense log in minutes.
func (l newestFirst[Item]) page(ctx context.Context, since, before time.Time, size int) ([]Item, error) {
	for _, span := range []time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		narrowed := before.Add(-span)
		if !narrowed.After(since) {
			break
		}
		if items, isFull, err := l.within(ctx, narrowed, size); err != nil || isFull {
			return items, err
		}
	}
	items, _, err := l.within(ctx, since, size)
	return items, err
}

// within reads no more rows than a page needs. Telling copies of a row apart takes memory for every row that is looked at,
// so it is asked first when those rows were that make a page where none is there more than twice; where they do not, it is
// asked for four times as many.
func (l newestFirst[Item]) within(ctx context.Context, since time.Time, size int) (items []Item, isFull bool, err error) {
	for most := 2 * size; ; most *= 4 {
		times, err := l.times(ctx, since, most)
		if err != nil || len(times) == 0 {
			return []Item{}, false, err
		}
		where, err := l.where(time.UnixMilli(times[len(times)-1]).UTC())
		if err != nil {
			return nil, false, err
		}
		// What is asked for is not looked for again where nothing was found.
		where.add(notAfter(l.at, "newest"), millis("newest", time.UnixMilli(times[0])))
		where.add("toUnixTimestamp64Milli("+l.at+") IN {times:Array(Int64)}", clickhouse.Named("times", times))
		items, err := l.read(ctx, where, size)
		if len(items) >= size || errors.Is(err, errEnough) {
			return items, true, nil
		}
		if err != nil || len(times) < most {
			return items, false, err
		}
	}
}

// times returns when the newest rows were, at most so many, in milliseconds since 1970, the newest first. It is not a
// sorted query with a limit, of whose condition ClickHouse does not remember where it does not hold: that would make each
// further page of a search as slow as the first.
func (l newestFirst[Item]) times(ctx context.Context, since time.Time, most int) (times []int64, err error) {
	where, err := l.where(since)
	if err != nil {
		return nil, err
	}
	sql := fmt.Sprintf("SELECT groupArraySorted(%d)(-toUnixTimestamp64Milli(%s)) FROM %s%s", most, l.at, l.table, where.sql())
	err = l.log.rows(ctx, l.table, sql, where.args, func(rows driver.Rows) error { return rows.Scan(&times) })
	for i := range times {
		times[i] = -times[i]
	}
	return times, err
}

// newest is where a page begins: at its cursor, at the end of the time asked for, or now.
func newest(after position, until time.Time) time.Time {
	at := time.Now()
	if !until.IsZero() && until.Before(at) {
		at = until
	}
	if !after.at.IsZero() && after.at.Before(at) {
		at = after.at
	}
	return at
}
