package eventlog

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

type eventFields struct {
	id         uuid.UUID
	meta       schemas.EventMeta
	track      schemas.Track
	body       string
	properties string // JSON
	notes      []string
}

func eventsTable() table {
	return table{name: "events", topic: schemas.EventsTopic, decode: decodeEvent, columns: withPlace(
		of("event_id", func(e *eventFields) uuid.UUID { return e.id }),
		of("source_id", func(e *eventFields) string { return e.meta.SourceID }),
		of("environment", func(e *eventFields) string { return e.meta.Environment }),
		of("event", func(e *eventFields) string { return e.meta.Event }),
		of("message_id", func(e *eventFields) string { return e.meta.MessageID }),
		of("user_id", func(e *eventFields) string { return e.track.UserID }),
		of("anonymous_id", func(e *eventFields) string { return e.track.AnonymousID }),
		of("timestamp", func(e *eventFields) time.Time { return e.track.Timestamp }),
		of("received_at", func(e *eventFields) time.Time { return e.meta.ReceivedAt }),
		of("body", func(e *eventFields) string { return e.body }),
		of("properties", func(e *eventFields) string { return e.properties }),
		listOf("notes", func(e *eventFields) []string { return e.notes }),
	)}
}

func decodeEvent(record *kgo.Record) (any, error) {
	meta, err := schemas.ReadEventMeta(record.Headers)
	if err != nil {
		return nil, err
	}
	id, err := parseID("event ID", meta.EventID)
	if err != nil {
		return nil, err
	}
	if err := storable("received_at", meta.ReceivedAt); err != nil {
		return nil, err
	}
	fields := &eventFields{id: id, meta: meta, body: schemas.Share(record.Value), properties: noProperties}
	if fields.track, err = schemas.ParseTrack(record.Value); err != nil {
		fields.note("body not understood: %v", err)
	} else if object := fields.track.Properties; object != nil {
		fields.setProperties(object)
	}
	if fields.track.IgnoredMessageID {
		fields.note("message ID ignored: it must have 1 to %d bytes", schemas.MaxNameBytes)
	}
	fields.track.Timestamp = fields.timestamp()
	return fields, nil
}

func (e *eventFields) setProperties(object []byte) {
	var isChanged bool
	if e.properties, isChanged = storableProperties(object); isChanged {
		e.note("properties hold numbers beyond 64 bits: they are queried as floats, or as texts where they are too large for those")
	}
}

func (e *eventFields) note(format string, values ...any) {
	e.notes = append(e.notes, fmt.Sprintf(format, values...))
}

// timestamp returns the event's own time, or received_at where there is none that the column can hold: the client
// library counts nanoseconds in 64 bits, which end in 2262.
func (e *eventFields) timestamp() time.Time {
	switch at := e.track.Timestamp; {
	case at.IsZero():
		return e.meta.ReceivedAt
	case at.Year() < 1900 || at.Year() >= 2262:
		e.note("timestamp outside 1900..2262: received_at stands in")
		return e.meta.ReceivedAt
	default:
		return at
	}
}
