package processor

import (
	"fmt"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// maxRunBytes bounds a run record: brokers refuse records above 1 MiB by default, and a record that cannot be written
// would stop its partition for ever.
const maxRunBytes = 960 << 10

// decision is what is written for one event.
type decision struct {
	schemas.Decision
	runs []runRecord
}

// runRecord is a run as it is written to Kafka.
type runRecord struct{ key, value []byte }

// consider asks the triggers that are bound to the event and notes what each did.
func (d *decision) consider(meta schemas.EventMeta, body []byte, source string, bound []*compiledTrigger) {
	d.Status = schemas.NoTrigger
	event := rules.NewEvent(meta, body, source)
	for _, trigger := range bound {
		outcome := d.ask(trigger, event)
		d.Triggers = append(d.Triggers, outcome)
		switch outcome.Outcome {
		case schemas.MappingError, schemas.ConditionError:
			d.Status = schemas.Failed
		case schemas.Matched, schemas.ConditionFalse, schemas.Inactive:
			if d.Status == schemas.NoTrigger {
				d.Status = schemas.Processed
			}
		}
	}
}

// ask evaluates one trigger and adds the run it creates.
func (d *decision) ask(trigger *compiledTrigger, event *rules.Event) schemas.TriggerDecision {
	made := schemas.TriggerDecision{TriggerID: trigger.ID, Revision: trigger.Revision, Workflow: trigger.Workflow}
	if trigger.invalid != nil {
		made.Outcome, made.Reason = schemas.ConditionError, trigger.invalid.Error()
		return made
	}
	result := trigger.rule.Evaluate(event)
	made.Outcome, made.Reason = result.Outcome, result.Reason
	if made.Outcome != schemas.Matched {
		return made
	}
	run := d.run(trigger, result)
	value, err := schemas.Encode(run)
	if err != nil {
		made.Outcome, made.Reason = schemas.MappingError, err.Error()
		return made
	}
	if len(value) > maxRunBytes {
		made.Outcome = schemas.MappingError
		made.Reason = fmt.Sprintf("the run would have %d bytes, at most %d are allowed; map less data", len(value), maxRunBytes)
		return made
	}
	made.RunID = run.RunID
	d.runs = append(d.runs, runRecord{key: []byte(run.Environment + "/" + result.RecipientKey), value: value})
	return made
}

func (d *decision) run(trigger *compiledTrigger, result rules.Result) schemas.Run {
	return schemas.Run{
		Schema: schemas.Version, RunID: schemas.RunID(trigger.ID, d.EventID, 0).String(),
		Environment: d.Environment, SourceID: d.SourceID, Workflow: trigger.Workflow,
		TriggerID: trigger.ID, TriggerRevision: trigger.Revision, EventID: d.EventID,
		ReceivedAt: d.ReceivedAt, CreatedAt: d.DecidedAt, Request: result.Request,
	}
}
