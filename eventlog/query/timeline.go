package query

import "time"

// Step is one thing that happened to an event. Members that it has no use for are absent.
type Step struct {
	At          time.Time `json:"at"`
	AfterMs     float64   `json:"after_ms"` // since the event was received
	Step        StepKind  `json:"step"`
	Outcome     string    `json:"outcome"`
	Message     string    `json:"message,omitempty"` // why, for people
	DuplicateOf string    `json:"duplicate_of,omitempty"`
	TriggerID   string    `json:"trigger_id,omitempty"`
	Workflow    string    `json:"workflow,omitempty"`
	RunID       string    `json:"run_id,omitempty"`
	Attempt     int       `json:"attempt,omitempty"`
	StatusCode  int       `json:"status_code,omitempty"`
	LatencyMs   float64   `json:"latency_ms,omitempty"`
}

// StepKind names what can happen to an event.
type StepKind string

// The steps of an event, in the order in which they usually come.
const (
	Received     StepKind = "received"
	Deduplicated StepKind = "deduplicated"
	TriggerAsked StepKind = "trigger"
	RunCreated   StepKind = "run"
	Attempted    StepKind = "attempt"
	GivenUp      StepKind = "dead_letter"
)
