package eventlog

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

type runFields struct {
	schemas.Run
	id, eventID uuid.UUID
	about       schemas.RunAbout
}

func runsTable(topic string) table {
	return table{name: "runs", topic: topic, decode: read(schemas.DecodeRun, run), columns: withPlace(
		of("run_id", func(r *runFields) uuid.UUID { return r.id }),
		of("environment", func(r *runFields) string { return r.Environment }),
		of("source_id", func(r *runFields) string { return r.SourceID }),
		of("workflow", func(r *runFields) string { return r.Workflow }),
		of("trigger_id", func(r *runFields) string { return r.TriggerID }),
		of("trigger_revision", func(r *runFields) int64 { return r.TriggerRevision }),
		of("event_id", func(r *runFields) uuid.UUID { return r.eventID }),
		of("received_at", func(r *runFields) time.Time { return r.ReceivedAt }),
		of("created_at", func(r *runFields) time.Time { return r.CreatedAt }),
		of("replay_id", func(r *runFields) string { return r.ReplayID }),
		listOf("recipient_ids", func(r *runFields) []string { return r.about.RecipientIDs }),
		of("tenant", func(r *runFields) string { return r.about.TenantID }),
		of("cancellation_key", func(r *runFields) string { return r.about.CancellationKey }),
		of("request", func(r *runFields) string { return schemas.Share(r.Request) }),
	)}
}

func run(record schemas.Run) (*runFields, error) {
	fields := &runFields{Run: record}
	var err error
	if fields.id, err = parseID("run ID", record.RunID); err != nil {
		return nil, err
	}
	if fields.eventID, err = parseID("event ID", record.EventID); err != nil {
		return nil, err
	}
	if fields.about, err = record.About(); err != nil {
		return nil, err
	}
	return fields, errors.Join(storable("received_at", record.ReceivedAt), storable("created_at", record.CreatedAt))
}
