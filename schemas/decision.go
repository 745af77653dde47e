package schemas

import "time"

// Status is what the processor decided about an event as a whole.
type Status string

// The statuses of an event. While the processor has not reached it, an event has none.
const (
	Processed Status = "processed"  // at least one trigger was considered and none failed
	Duplicate Status = "duplicate"  // an earlier event in the dedup window has the same key
	NoTrigger Status = "no_trigger" // no trigger is bound to the event's name
	Failed    Status = "failed"     // a condition or a mapping failed; the event can be replayed
)

// Outcome is what one trigger did with one event.
type Outcome string

// The outcomes of a trigger.
const (
	Matched        Outcome = "matched"         // a run was created
	ConditionFalse Outcome = "condition_false" // the condition said no
	Inactive       Outcome = "inactive"        // the trigger is switched off
	MappingError   Outcome = "mapping_error"   // a required value is missing or has the wrong shape
	ConditionError Outcome = "condition_error" // the condition failed on this event
)

// Decision is the record that the processor writes for each event, and a replay for each it replays, with one entry per
// trigger it considered.
type Decision struct {
	Schema      int               `json:"schema"`
	EventID     string            `json:"event_id"`
	SourceID    string            `json:"source_id"`
	Environment string            `json:"environment"`
	Event       string            `json:"event"`
	Status      Status            `json:"status"`
	Reason      string            `json:"reason,omitempty"` // why the event as a whole failed, where no single trigger did
	DuplicateOf *Position         `json:"duplicate_of,omitempty"`
	ReceivedAt  time.Time         `json:"received_at"`
	DecidedAt   time.Time         `json:"decided_at"`
	ReplayID    string            `json:"replay_id,omitempty"` // the replay that made it; "" for live traffic
	Input       Position          `json:"input"`               // where the event lies
	Triggers    []TriggerDecision `json:"triggers"`
}

// Position is the place of a record in the events topic.
type Position struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// TriggerDecision is what one trigger, at one revision, did with the event and why.
type TriggerDecision struct {
	TriggerID string  `json:"trigger_id"`
	Revision  int64   `json:"revision"`
	Workflow  string  `json:"workflow"`
	Outcome   Outcome `json:"outcome"`
	Reason    string  `json:"reason,omitempty"`
	RunID     string  `json:"run_id,omitempty"` // set when matched

	identity string // the first three members as they are written, where that was done before
}

// NewTriggerDecision returns an entry without an outcome. What it says of the trigger is written only once, for all
// entries that are copies of it.
func NewTriggerDecision(triggerID string, revision int64, workflow string) TriggerDecision {
	t := TriggerDecision{TriggerID: triggerID, Revision: revision, Workflow: workflow}
	t.identity = string(t.appendIdentity(nil))
	return t
}
