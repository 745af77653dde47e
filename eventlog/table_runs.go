package eventlog

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/schemas/jsonscan"
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
	if err := fields.read(record.Request); err != nil {
		return nil, fmt.Errorf("reading the run's request: %w", err)
	}
	return fields, errors.Join(storable("received_at", record.ReceivedAt), storable("created_at", record.CreatedAt))
}

// read takes from the request what has columns. Members of other kinds than they should be have none of it.
func (r *runFields) read(request []byte) error {
	members, err := membersOf(request)
	if err != nil {
		return err
	}
	for _, member := range members {
		switch string(member.Name) {
		case "recipients":
			recipients, err := membersOf(member.Value)
			if err != nil {
				return err
			}
			for _, recipient := range recipients {
				r.recipientIDs = append(r.recipientIDs, idOf(recipient.Value))
			}
		case "tenant":
			r.tenant = idOf(member.Value)
		case "cancellation_key":
			r.cancellationKey = textOf(member.Value)
		}
	}
	return nil
}

func membersOf(value []byte) ([]jsonscan.Member, error) {
	members, _, err := jsonscan.AppendMembers(nil, value, schemas.MaxDepth+2)
	return members, err
}

// idOf returns the ID of a recipient or tenant, which is a string or an object with an id; "" where it is neither.
func idOf(value []byte) string {
	if value[0] != '{' {
		return textOf(value)
	}
	members, _ := membersOf(value) // it was read as a part of the request
	for _, member := range members {
		if string(member.Name) == "id" {
			return textOf(member.Value)
		}
	}
	return ""
}

func textOf(value []byte) string {
	if value[0] != '"' {
		return ""
	}
	return schemas.Share(jsonscan.Unescape(value[1 : len(value)-1]))
}
