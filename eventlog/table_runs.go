package eventlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

type runFields struct {
	schemas.Run
	id, eventID     uuid.UUID
	recipientIDs    []string
	tenant          string
	cancellationKey string
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
		of("recipient_ids", func(r *runFields) []string { return r.recipientIDs }),
		of("tenant", func(r *runFields) string { return r.tenant }),
		of("cancellation_key", func(r *runFields) string { return r.cancellationKey }),
		of("request", func(r *runFields) string { return string(r.Request) }),
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
	var request schemas.RunRequest
	if err := json.Unmarshal(record.Request, &request); err != nil {
		return nil, fmt.Errorf("reading the run's request: %w", err)
	}
	for _, recipient := range request.Recipients {
		fields.recipientIDs = append(fields.recipientIDs, idOf(recipient))
	}
	fields.tenant, fields.cancellationKey = idOf(request.Tenant), request.CancellationKey
	return fields, errors.Join(storable("received_at", record.ReceivedAt), storable("created_at", record.CreatedAt))
}

// idOf returns the ID of a recipient or tenant, which is a string or an object with an id; "" where it is neither.
func idOf(value json.RawMessage) string {
	var id string
	if json.Unmarshal(value, &id) == nil {
		return id
	}
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(value, &object) != nil {
		return ""
	}
	return object.ID
}
