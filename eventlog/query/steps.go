package query

import (
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Interval is how long a step of a series is.
type Interval string

// The intervals.
const (
	Minute Interval = "minute"
	Hour   Interval = "hour"
	Day    Interval = "day"
	All    Interval = "all" // one step
)

// maxSteps bounds a series: a day of minutes, and a little more.
const maxSteps = 1500

// analyticsSince is what is counted where nothing else is said.
const analyticsSince = 24 * time.Hour

// steps cuts a time into steps of equal length, the first of which begins at a full minute, hour or day in UTC.
type steps struct {
	since, until time.Time
	length       time.Duration
	count        int
}

// newSteps cuts the time between since and until, whose zero values stand for a day ago and for now.
func newSteps(since, until time.Time, interval Interval, known ...Interval) (steps, error) {
	if !slices.Contains(known, interval) {
		return steps{}, &FilterError{"interval", fmt.Sprintf("must be one of %q", known)}
	}
	if until.IsZero() {
		until = time.Now()
	}
	if since.IsZero() {
		since = until.Add(-analyticsSince)
	}
	if err := checkRange(since, until); err != nil {
		return steps{}, err
	}
	// The log keeps milliseconds.
	since, until = since.UTC().Truncate(time.Millisecond), until.UTC().Truncate(time.Millisecond)
	s := steps{since: since, until: until}
	switch interval {
	case Minute:
		s.length = time.Minute
	case Hour:
		s.length = time.Hour
	case Day:
		s.length = 24 * time.Hour
	case All:
		s.length, s.count = max(until.Sub(since), time.Millisecond), 1
		return s, nil
	}
	s.since = since.Truncate(s.length)
	s.count = int((until.Sub(s.since) + s.length - 1) / s.length)
	if s.count > maxSteps {
		return steps{}, &FilterError{"interval", fmt.Sprintf("these are %d steps, at most %d are possible; take longer ones, or a shorter time with since and until", s.count, maxSteps)}
	}
	return s, nil
}

// number returns the number of the step in which a column lies, from 0, and what it binds. Of a single step the column is not read.
func (s steps) number(column string) (string, []any) {
	if s.count == 1 {
		return "toInt64(0)", nil
	}
	return "intDiv(toUnixTimestamp64Milli(" + column + ") - {first_step:Int64}, {step_length:Int64})",
		[]any{millis("first_step", s.since), clickhouse.Named("step_length", s.length.Milliseconds())}
}

// at returns when a step begins.
func (s steps) at(number int64) time.Time { return s.since.Add(time.Duration(number) * s.length) }
