package schemas

import (
	"encoding/json"
	"time"
)

// Run is the record of one workflow run that a trigger started. Request is the workflow API's request body: the bytes
// are fixed here, because an API that keeps idempotency keys refuses a key that comes back with another body.
type Run struct {
	Schema          int             `json:"schema"`
	RunID           string          `json:"run_id"`
	Environment     string          `json:"environment"`
	SourceID        string          `json:"source_id"`
	Workflow        string          `json:"workflow"`
	TriggerID       string          `json:"trigger_id"`
	TriggerRevision int64           `json:"trigger_revision"`
	EventID         string          `json:"event_id"`
	ReceivedAt      time.Time       `json:"received_at"` // of the event
	CreatedAt       time.Time       `json:"created_at"`
	ReplayID        string          `json:"replay_id,omitempty"`
	Request         json.RawMessage `json:"request"` // a RunRequest
}

// RunRequest is the body of a call to the workflow API. Its shape is that of Knock's trigger endpoint.
type RunRequest struct {
	Recipients      []json.RawMessage `json:"recipients"` // 1 to 1,000 strings or objects with an id
	Actor           json.RawMessage   `json:"actor,omitempty"`
	Data            json.RawMessage   `json:"data,omitempty"` // an object
	Tenant          json.RawMessage   `json:"tenant,omitempty"`
	CancellationKey string            `json:"cancellation_key,omitempty"`
}

// DeliveryOutcome is what the dispatcher concluded from one delivery attempt.
type DeliveryOutcome string

// The outcomes of a delivery attempt.
const (
	Delivered DeliveryOutcome = "delivered" // the workflow API answered 2xx
	Retrying  DeliveryOutcome = "retrying"  // it will be tried again
	Dead      DeliveryOutcome = "dead"      // it will not; the run is a dead letter
)

// Delivery is the record of one delivery attempt.
type Delivery struct {
	Schema        int             `json:"schema"`
	RunID         string          `json:"run_id"`
	EventID       string          `json:"event_id"`
	Environment   string          `json:"environment"`
	Workflow      string          `json:"workflow"`
	Attempt       int             `json:"attempt"` // counts from 1
	Outcome       DeliveryOutcome `json:"outcome"`
	AttemptedAt   time.Time       `json:"attempted_at"`
	LatencyMs     float64         `json:"latency_ms"`
	StatusCode    int             `json:"status_code,omitempty"`     // 0 when there was no answer
	Error         string          `json:"error,omitempty"`           // why it was not delivered
	Response      string          `json:"response,omitempty"`        // first 4 KiB of an answer that is not 2xx
	WorkflowRunID string          `json:"workflow_run_id,omitempty"` // what the workflow API called the run
}

// Attempt is what a run that waits, and a dead letter, remember of a delivery attempt. The full record of it is in the
// deliveries.
type Attempt struct {
	Attempt     int       `json:"attempt"`
	AttemptedAt time.Time `json:"attempted_at"`
	LatencyMs   float64   `json:"latency_ms"`
	StatusCode  int       `json:"status_code,omitempty"`
	Error       string    `json:"error,omitempty"`
}

// DeadLetter is the record of a run that will not be tried again, with the attempt that decided it.
type DeadLetter struct {
	Schema   int       `json:"schema"`
	Run      Run       `json:"run"`
	Key      string    `json:"key,omitempty"` // of the record in the runs topic
	Last     Delivery  `json:"last"`
	Attempts []Attempt `json:"attempts,omitempty"` // all of them; the oldest are left out where they would be too many
}
