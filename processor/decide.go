package processor

import (
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// maxRecordBytes bounds what is written, key included: brokers refuse records above 1 MiB by default, the client those
// above 1,000,012 bytes, and a record that cannot be written would stop its partition for ever.
const maxRecordBytes = 960 << 10

// maxRunsBytes bounds the runs of one event together: each may copy the event, and thousands of triggers may match.
const maxRunsBytes = 16 << 20

// decision is what is written for one event. It is used again for the next one.
type decision struct {
	schemas.Decision
	runs      []runRecord
	runsBytes int

	event   *rules.Event
	blocks  blocks // where runs are kept
	scratch []byte
}

func newDecision() *decision {
	return &decision{event: rules.NewEvent(schemas.EventMeta{}, nil, "")}
}

// runRecord is a run as it is written to Kafka.
type runRecord struct{ key, value []byte }

// begin forgets the event before.
func (d *decision) begin(next schemas.Decision) {
	next.Triggers = d.Triggers[:0]
	if next.Triggers == nil {
		next.Triggers = []schemas.TriggerDecision{}
	}
	clear(d.runs)
	d.Decision, d.runs, d.runsBytes = next, d.runs[:0], 0
}

// consider asks the triggers that are bound to the event and notes what each did.
func (d *decision) consider(meta schemas.EventMeta, body []byte, bound *binding) {
	d.Status = schemas.NoTrigger
	if len(bound.triggers) == 0 {
		return
	}
	forget := func() { d.event.Reset(meta, body, bound.source) }
	forget()
	for group := range slices.Chunk(bound.triggers, timedTogether) {
		start := time.Now()
		for _, trigger := range group {
			d.Triggers = append(d.Triggers, trigger.entry)
			made := &d.Triggers[len(d.Triggers)-1]
			if d.askSafely(trigger, made) {
				forget() // it may have left the event half read
			}
			d.sum(made.Outcome)
		}
		d.consideredIn(time.Since(start), group, forget)
	}
}

// sum takes what a trigger did into the status of the whole.
func (d *decision) sum(outcome schemas.Outcome) {
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
func (d *decision) askSafely(trigger *compiledTrigger, made *schemas.TriggerDecision) (panicked bool) {
	defer func() {
		if fault := recover(); fault != nil {
			made.Outcome, made.Reason = schemas.ConditionError, fmt.Sprintf("the trigger cannot be evaluated, please report this: %v", fault)
			panicked = true
		}
	}()
	d.ask(trigger, made)
	return false
}

// ask evaluates one trigger, notes what it did, and adds the run it creates.
func (d *decision) ask(trigger *compiledTrigger, made *schemas.TriggerDecision) {
	if trigger.invalid != nil {
		made.Outcome, made.Reason = schemas.ConditionError, trigger.invalid.Error()
		return
	}
	if trigger.isOff.Load() {
		made.Outcome, made.Reason = schemas.ConditionError, reasonOff
		return
	}
	result := trigger.rule.Evaluate(d.event)
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
	d.runs = append(d.runs, runRecord{key: record[:keyBytes:keyBytes], value: record[keyBytes:]})
}

// excess says why a run of so many bytes cannot be written, if it can't.
func (d *decision) excess(size int) string {
	switch {
	case size > maxRecordBytes:
		return fmt.Sprintf("the run would have %d bytes, at most %d are allowed; map less data", size, maxRecordBytes)
	case d.runsBytes+size > maxRunsBytes:
		return fmt.Sprintf("the runs of this event would have more than %d bytes together; map less data or bind fewer triggers to it", maxRunsBytes)
	}
	return ""
}

func (d *decision) run(trigger *compiledTrigger, result rules.Result) schemas.Run {
	return schemas.Run{
		Schema: schemas.Version, RunID: schemas.RunID(trigger.ID, d.EventID, 0).String(),
		Environment: d.Environment, SourceID: d.SourceID, Workflow: trigger.Workflow,
		TriggerID: trigger.ID, TriggerRevision: trigger.Revision, EventID: d.EventID,
		ReceivedAt: d.ReceivedAt, CreatedAt: d.DecidedAt, Request: result.Request,
	}
}
