package query

import "time"

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
