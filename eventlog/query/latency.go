package query

import "time"

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
	DeliveredMs *Quantiles `json:"delivered_ms"` // from receiving the event to the end of the call that delivered its run; nil where none did
}

// Quantiles are in milliseconds, and approximate but for Max.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}
