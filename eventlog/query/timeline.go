package query

import (
	"slices"
	"time"

	"github.com/millrace/millrace/schemas"
)

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

// timeline tells in the order of time what happened to the event. Steps of one time stay in the order in which they
// follow from each other.
func (d *EventDetail) timeline() []Step {
	steps := []Step{{At: d.ReceivedAt, Step: Received, Outcome: "accepted"}}
	steps = append(steps, d.Decision.steps()...)
	for _, run := range d.Runs {
		steps = append(steps, Step{
			At: run.CreatedAt, Step: RunCreated, Outcome: "created", TriggerID: run.TriggerID, Workflow: run.Workflow, RunID: run.ID,
		})
	}
	for _, attempt := range d.Attempts {
		steps = append(steps, attempt.steps()...)
	}
	workflows := map[string]string{}
	for _, run := range d.Runs {
		workflows[run.ID] = run.Workflow
	}
	for i := range steps {
		steps[i].AfterMs = milliseconds(steps[i].At.Sub(d.ReceivedAt))
		if steps[i].Workflow == "" {
			steps[i].Workflow = workflows[steps[i].RunID]
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
	return steps
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// steps are what a decision consists of; none while there is none.
func (d *Decision) steps() []Step {
	if d == nil {
		return nil
	}
	if d.Status == schemas.Duplicate {
		return []Step{{At: d.DecidedAt, Step: Deduplicated, Outcome: "duplicate", DuplicateOf: d.DuplicateOf, Message: d.Reason}}
	}
	steps := []Step{{At: d.DecidedAt, Step: Deduplicated, Outcome: "first", Message: d.Reason}}
	for _, trigger := range d.Triggers {
		steps = append(steps, Step{
			At: d.DecidedAt, Step: TriggerAsked, Outcome: string(trigger.Outcome), Message: trigger.Reason,
			TriggerID: trigger.TriggerID, Workflow: trigger.Workflow, RunID: trigger.RunID,
		})
	}
	return steps
}

// steps are the call and, where the run was given up with it, that.
func (a Attempt) steps() []Step {
	call := Step{
		At: a.AttemptedAt, Step: Attempted, Outcome: string(a.Outcome), Message: a.Error,
		RunID: a.RunID, Attempt: a.Attempt, StatusCode: a.StatusCode, LatencyMs: a.LatencyMs,
	}
	if a.Outcome != schemas.Dead {
		return []Step{call}
	}
	ended := a.AttemptedAt.Add(time.Duration(a.LatencyMs * float64(time.Millisecond)))
	return []Step{call, {At: ended, Step: GivenUp, Outcome: "dead", Message: a.Error, RunID: a.RunID, Attempt: a.Attempt}}
}
