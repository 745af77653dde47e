package rules

import (
	"fmt"

	"github.com/millrace/millrace/schemas"
)

// maxRecordBytes bounds what is written, key included: brokers refuse records above 1 MiB by default, the client those
// above 1,000,012 bytes, and a record that cannot be written would stop its partition for ever.
const maxRecordBytes = 960 << 10

// maxRunsBytes bounds the runs of one event together: each may copy the event, and thousands of triggers may match.
const maxRunsBytes = 16 << 20

// Draft is the decision on one event in the making, with the runs that follow from it. It is used again for the next
// event and is for one goroutine at a time; what Record returns, and Runs hold, stays as it is.
type Draft struct {
	schemas.Decision
	Runs       []RunRecord
	Generation int64 // of the runs' IDs: 0 for live traffic

	event     *Event
	meta      schemas.EventMeta // of event, to look at it again
	body      []byte
	source    string
	runsBytes int
	blocks    blocks // where records are kept
	scratch   []byte
}

// RunRecord is a run as it is written to Kafka.
type RunRecord struct {
	RunID      string
	Key, Value []byte
}

// NewDraft returns an empty draft.
func NewDraft() *Draft { return &Draft{event: NewEvent(schemas.EventMeta{}, nil, "")} }

// Begin forgets the event before.
func (d *Draft) Begin(next schemas.Decision) {
	next.Triggers = d.Triggers[:0]
	if next.Triggers == nil {
		next.Triggers = []schemas.TriggerDecision{}
	}
	clear(d.Runs)
	d.Decision, d.Runs, d.runsBytes = next, d.Runs[:0], 0
}

// Look opens the event that triggers are asked about, whose source has this name. Nobody has been asked yet.
func (d *Draft) Look(meta schemas.EventMeta, body []byte, source string) {
	d.Status = schemas.NoTrigger
	d.meta, d.body, d.source = meta, body, source
	d.LookAgain()
}

// LookAgain makes the event as if nobody had looked at it.
func (d *Draft) LookAgain() { d.event.Reset(d.meta, d.body, d.source) }

// Passes reports whether the condition holds for the event. A condition that breaks something fails.
func (d *Draft) Passes(condition *Condition) (holds bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			d.LookAgain() // it may have left the event half read
			holds, err = false, fmt.Errorf("it cannot be evaluated, please report this: %v", fault)
		}
	}()
	return condition.holds(d.event)
}

// Ask asks a trigger about the event, notes what it did, and adds the run it creates.
func (d *Draft) Ask(trigger *Bound) {
	d.Triggers = append(d.Triggers, trigger.entry)
	made := &d.Triggers[len(d.Triggers)-1]
	if d.askSafely(trigger, made) {
		d.LookAgain() // it may have left the event half read
	}
	d.sum(made.Outcome)
}

// Note notes what a trigger that is not asked did.
func (d *Draft) Note(trigger *Bound, outcome schemas.Outcome, reason string) {
	entry := trigger.entry
	entry.Outcome, entry.Reason = outcome, reason
	d.Triggers = append(d.Triggers, entry)
	d.sum(outcome)
}

// Evaluate asks a trigger and notes nothing.
func (d *Draft) Evaluate(trigger *Bound) Result { return trigger.rule.Evaluate(d.event) }

// sum takes what a trigger did into the status of the whole.
func (d *Draft) sum(outcome schemas.Outcome) {
	switch outcome {
	case schemas.MappingError, schemas.ConditionError:
		d.Status = schemas.Failed
	case schemas.Matched, schemas.ConditionFalse, schemas.Inactive:
		if d.Status == schemas.NoTrigger {
			d.Status = schemas.Processed
		}
	}
}

// askSafely turns a panic into the outcome of the one trigger: expressions come from outside, and whatever one of them
// finds to break must not stop the events behind this one.
func (d *Draft) askSafely(trigger *Bound, made *schemas.TriggerDecision) (panicked bool) {
	defer func() {
		if fault := recover(); fault != nil {
			made.Outcome, made.Reason = schemas.ConditionError, fmt.Sprintf("the trigger cannot be evaluated, please report this: %v", fault)
			panicked = true
		}
	}()
	d.ask(trigger, made)
	return false
}

func (d *Draft) ask(trigger *Bound, made *schemas.TriggerDecision) {
	if trigger.Invalid != nil {
		made.Outcome, made.Reason = schemas.ConditionError, trigger.Invalid.Error()
		return
	}
	result := d.Evaluate(trigger)
	made.Outcome, made.Reason = result.Outcome, result.Reason
	if made.Outcome != schemas.Matched {
		return
	}
	run := d.run(trigger, result)
	keyBytes := len(run.Environment) + len("/") + len(result.RecipientKey)
	d.scratch = append(append(append(d.scratch[:0], run.Environment...), '/'), result.RecipientKey...)
	d.scratch = schemas.AppendRun(d.scratch, &run)
	if reason := d.excess(len(d.scratch)); reason != "" {
		made.Outcome, made.Reason = schemas.MappingError, reason
		return
	}
	d.runsBytes += len(d.scratch)
	made.RunID = run.RunID
	record := d.blocks.keep(d.scratch)
	d.Runs = append(d.Runs, RunRecord{RunID: run.RunID, Key: record[:keyBytes:keyBytes], Value: record[keyBytes:]})
}

// excess says why a run of so many bytes cannot be written, if it can't.
func (d *Draft) excess(size int) string {
	switch {
	case size > maxRecordBytes:
		return fmt.Sprintf("the run would have %d bytes, at most %d are allowed; map less data", size, maxRecordBytes)
	case d.runsBytes+size > maxRunsBytes:
		return fmt.Sprintf("the runs of this event would have more than %d bytes together; map less data or bind fewer triggers to it", maxRunsBytes)
	}
	return ""
}

func (d *Draft) run(trigger *Bound, result Result) schemas.Run {
	return schemas.Run{
		Schema: schemas.Version, RunID: schemas.RunID(trigger.ID, d.EventID, d.Generation).String(),
		Environment: d.Environment, SourceID: d.SourceID, Workflow: trigger.Workflow,
		TriggerID: trigger.ID, TriggerRevision: trigger.Revision, EventID: d.EventID,
		ReceivedAt: d.ReceivedAt, CreatedAt: d.DecidedAt, ReplayID: d.ReplayID, Request: result.Request,
	}
}

// Record returns the decision as it is written to Kafka. It may leave out of the decision what does not fit.
func (d *Draft) Record() (key, value []byte) {
	record := d.blocks.keep(append(d.encode(), d.EventID...))
	size := len(record) - len(d.EventID)
	return record[size:], record[:size:size]
}
