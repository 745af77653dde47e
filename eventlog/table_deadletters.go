package eventlog

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

type deadLetterFields struct {
	schemas.DeadLetter
	runID, eventID uuid.UUID
	first          time.Time // when the first attempt that it remembers began
}

func deadLettersTable() table {
	return table{name: "dead_letters", topic: schemas.DeadRunsTopic, decode: read(schemas.Decode, deadLetter), columns: withPlace(
		of("run_id", func(d *deadLetterFields) uuid.UUID { return d.runID }),
		of("event_id", func(d *deadLetterFields) uuid.UUID { return d.eventID }),
		of("environment", func(d *deadLetterFields) string { return d.Run.Environment }),
		of("source_id", func(d *deadLetterFields) string { return d.Run.SourceID }),
		of("workflow", func(d *deadLetterFields) string { return d.Run.Workflow }),
		of("trigger_id", func(d *deadLetterFields) string { return d.Run.TriggerID }),
		of("trigger_revision", func(d *deadLetterFields) int64 { return d.Run.TriggerRevision }),
		of("received_at", func(d *deadLetterFields) time.Time { return d.Run.ReceivedAt }),
		of("created_at", func(d *deadLetterFields) time.Time { return d.Run.CreatedAt }),
		of("replay_id", func(d *deadLetterFields) string { return d.Run.ReplayID }),
		of("error", func(d *deadLetterFields) string { return d.Last.Error }),
		of("status_code", func(d *deadLetterFields) uint16 { return uint16(d.Last.StatusCode) }),
		of("response", func(d *deadLetterFields) string { return d.Last.Response }),
		of("first_attempted_at", func(d *deadLetterFields) time.Time { return d.first }),
		of("last_attempted_at", func(d *deadLetterFields) time.Time { return d.Last.AttemptedAt }),
		of("attempt", func(d *deadLetterFields) uint32 { return uint32(d.Last.Attempt) }),
		listOf("attempts.attempt", eachAttempt(func(a schemas.Attempt) uint32 { return uint32(a.Attempt) })),
		listOf("attempts.attempted_at", eachAttempt(func(a schemas.Attempt) time.Time { return a.AttemptedAt })),
		listOf("attempts.latency_ms", eachAttempt(func(a schemas.Attempt) float64 { return a.LatencyMs })),
		listOf("attempts.status_code", eachAttempt(func(a schemas.Attempt) uint16 { return uint16(a.StatusCode) })),
		listOf("attempts.error", eachAttempt(func(a schemas.Attempt) string { return a.Error })),
		of("key", func(d *deadLetterFields) string { return d.Key }),
		of("request", func(d *deadLetterFields) string { return string(d.Run.Request) }),
	)}
}

func eachAttempt[Value any](member func(schemas.Attempt) Value) func(*deadLetterFields) []Value {
	return nested(func(d *deadLetterFields) []schemas.Attempt { return d.Attempts }, member)
}

func deadLetter(letter schemas.DeadLetter) (*deadLetterFields, error) {
	fields := &deadLetterFields{DeadLetter: letter, first: letter.Last.AttemptedAt}
	var runErr, eventErr error
	fields.runID, runErr = parseID("run ID", letter.Run.RunID)
	fields.eventID, eventErr = parseID("event ID", letter.Run.EventID)
	problems := []error{
		runErr, eventErr,
		storable("received_at", letter.Run.ReceivedAt), storable("created_at", letter.Run.CreatedAt), storable("attempted_at", letter.Last.AttemptedAt),
	}
	for _, attempt := range letter.Attempts {
		problems = append(problems, storable("attempted_at", attempt.AttemptedAt))
	}
	if len(letter.Attempts) > 0 {
		fields.first = letter.Attempts[0].AttemptedAt
	}
	return fields, errors.Join(problems...)
}
