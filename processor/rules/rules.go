// Package rules is what a trigger means: its condition and its mapping, compiled once and then asked about each event.
// An evaluation is a pure function of the event and the trigger, down to the bytes of the run's request, so that a
// retry or a replay decides the same. Expressions come from outside and run beside everybody else's events: whatever
// they say, they are bounded in time and memory.
package rules

import (
	"encoding/json"
	"errors"

	"github.com/millrace/millrace/schemas"
)

// maxSteps bounds the work of one trigger on one event, over its condition and its whole mapping. A step is about one
// node of an expression, or a few bytes that are read; 100,000 of them take 5 to 30 ms. Where it is used up, the
// trigger fails on that event.
const maxSteps = 100_000

// Trigger is a compiled trigger. It does not change, so that goroutines can share it.
type Trigger struct {
	active    bool
	condition *expression // nil for always
	mapping   mapping
}

// Result is what a trigger did with an event.
type Result struct {
	Outcome schemas.Outcome
	Reason  string          // why it failed: set for MappingError and ConditionError
	Request json.RawMessage // a compact schemas.RunRequest: set when matched, and the event's own until it is asked again
	// RecipientKey is the ID of the first recipient, set when matched.
	RecipientKey string
}

// Compile checks the trigger's condition and mapping and compiles them. It reports each field that is at fault, as
// *CompileError values joined in the order of the fields.
func Compile(trigger schemas.Trigger) (*Trigger, error) {
	compiled := &Trigger{active: trigger.Status == schemas.TriggerActive}
	var conditionErr, mappingErr error
	if trigger.Condition != "" {
		compiled.condition, conditionErr = compileCondition(trigger.Condition)
	}
	compiled.mapping, mappingErr = compileMapping(trigger.Mapping)
	if err := errors.Join(conditionErr, mappingErr); err != nil {
		return nil, err
	}
	return compiled, nil
}

// Evaluate decides whether the event starts a run and writes the run's request. An event whose body cannot be read
// fails, too, unless nothing of the body is asked for.
func (t *Trigger) Evaluate(event *Event) Result {
	if !t.active {
		return Result{Outcome: schemas.Inactive}
	}
	event.steps = maxSteps
	holds, err := t.holds(event)
	if err != nil {
		return Result{Outcome: schemas.ConditionError, Reason: "condition: " + err.Error()}
	}
	if !holds {
		return Result{Outcome: schemas.ConditionFalse}
	}
	request, recipient, err := t.mapping.request(event)
	if err != nil {
		return Result{Outcome: schemas.MappingError, Reason: err.Error()}
	}
	return Result{Outcome: schemas.Matched, Request: request, RecipientKey: recipient}
}

func (t *Trigger) holds(event *Event) (bool, error) {
	if t.condition == nil {
		return true, nil
	}
	answer, err := t.condition.run(event)
	if err != nil {
		return false, err
	}
	return truth(answer)
}
