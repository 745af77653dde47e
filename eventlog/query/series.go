package query

import "time"

// Series counts events over time.
type Series struct {
	Interval Interval    `json:"interval"`
	Since    time.Time   `json:"since"`
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

// Interval is how long a step of a series is.
type Interval string

// The intervals.
const (
	Minute Interval = "minute"
	Hour   Interval = "hour"
	Day    Interval = "day"
	All    Interval = "all" // one step
)
