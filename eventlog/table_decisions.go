package eventlog

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// nowhere is the partition and the offset of "duplicate of" where there is nothing to be a duplicate of.
const nowhere = -1

type decisionFields struct {
	schemas.Decision
	id          uuid.UUID
	duplicateOf schemas.Position
	runIDs      []uuid.UUID // of each trigger; all zeros where there is no run
}

func decisionsTable(topic string) table {
	return table{name: "decisions", topic: topic, decode: read(new(schemas.DecisionDecoder).Decode, decision), columns: withPlace(
		of("event_id", func(d *decisionFields) uuid.UUID { return d.id }),
		of("source_id", func(d *decisionFields) string { return d.SourceID }),
		of("environment", func(d *decisionFields) string { return d.Environment }),
		of("event", func(d *decisionFields) string { return d.Event }),
		of("status", func(d *decisionFields) string { return string(d.Status) }),
		of("reason", func(d *decisionFields) string { return d.Reason }),
		of("duplicate_of_partition", func(d *decisionFields) int32 { return d.duplicateOf.Partition }),
		of("duplicate_of_offset", func(d *decisionFields) int64 { return d.duplicateOf.Offset }),
		of("input_partition", func(d *decisionFields) int32 { return d.Input.Partition }),
		of("input_offset", func(d *decisionFields) int64 { return d.Input.Offset }),
		of("received_at", func(d *decisionFields) time.Time { return d.ReceivedAt }),
		of("decided_at", func(d *decisionFields) time.Time { return d.DecidedAt }),
		of("replay_id", func(d *decisionFields) string { return d.ReplayID }),
		listOf("triggers.trigger_id", each(func(t schemas.TriggerDecision) string { return t.TriggerID })),
		listOf("triggers.revision", each(func(t schemas.TriggerDecision) int64 { return t.Revision })),
		listOf("triggers.workflow", each(func(t schemas.TriggerDecision) string { return t.Workflow })),
		listOf("triggers.outcome", each(func(t schemas.TriggerDecision) string { return string(t.Outcome) })),
		listOf("triggers.reason", each(func(t schemas.TriggerDecision) string { return t.Reason })),
		listOf("triggers.run_id", func(d *decisionFields) []uuid.UUID { return d.runIDs }),
	)}
}

func each[Value any](member func(schemas.TriggerDecision) Value) func(*decisionFields) []Value {
	return nested(func(d *decisionFields) []schemas.TriggerDecision { return d.Triggers }, member)
}

func decision(record schemas.Decision) (*decisionFields, error) {
	fields := &decisionFields{Decision: record, duplicateOf: schemas.Position{Partition: nowhere, Offset: nowhere}}
	if record.DuplicateOf != nil {
		fields.duplicateOf = *record.DuplicateOf
	}
	var err error
	if fields.id, err = parseID("event ID", record.EventID); err != nil {
		return nil, err
	}
	fields.runIDs = make([]uuid.UUID, len(record.Triggers))
	for i, trigger := range record.Triggers {
		if trigger.RunID == "" {
			continue
		}
		if fields.runIDs[i], err = parseID("run ID", trigger.RunID); err != nil {
			return nil, err
		}
	}
	return fields, errors.Join(storable("received_at", record.ReceivedAt), storable("decided_at", record.DecidedAt))
}
