package schemas

import (
	"errors"
	"fmt"
	"time"
)

// Header is one Kafka record header. It has the shape of every client's header type, so that those convert to it.
type Header struct {
	Key   string
	Value []byte
}

// EventMeta is what an events record says about its body: it travels in the headers, because the body stays byte for
// byte as it was posted.
type EventMeta struct {
	EventID     string    // UUIDv7
	SourceID    string    // "src_..."
	Environment string    // name, e.g. "production"
	Event       string    // the event's name, 1 to 255 bytes
	MessageID   string    // 1 to 255 bytes, or "" when there is none usable
	ReceivedAt  time.Time // UTC, whole milliseconds; equals the record's time
}

// Names of the headers of an events record.
const (
	eventIDHeader     = "event_id"
	sourceHeader      = "source"
	environmentHeader = "environment"
	eventHeader       = "event"
	messageIDHeader   = "message_id"
	receivedAtHeader  = "received_at"
)

const headerTimeFormat = "2006-01-02T15:04:05.000Z"

// ErrNotAnEvent says that a record lacks the headers every events record has.
var ErrNotAnEvent = errors.New("not an events record")

// Key returns the record key of the event: the dedup key, or the hash of the event ID where there is no message ID.
func (m EventMeta) Key() Key {
	if m.MessageID == "" {
		return EventKey(m.EventID)
	}
	return DedupKey(m.Environment, m.SourceID, m.Event, m.MessageID)
}

// EventHeaders returns the headers of an events record. H is the client's header type.
func EventHeaders[H ~struct {
	Key   string
	Value []byte
}](m EventMeta,
) []H {
	return []H{
		H(Header{eventIDHeader, []byte(m.EventID)}),
		H(Header{sourceHeader, []byte(m.SourceID)}),
		H(Header{environmentHeader, []byte(m.Environment)}),
		H(Header{eventHeader, []byte(m.Event)}),
		H(Header{messageIDHeader, []byte(m.MessageID)}),
		H(Header{receivedAtHeader, m.ReceivedAt.UTC().AppendFormat(nil, headerTimeFormat)}),
	}
}

// ReadEventMeta reads the headers of an events record. Unknown headers are ignored. It fails with ErrNotAnEvent when
// the event ID, source, environment, event name or time is missing or malformed.
func ReadEventMeta[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) (EventMeta, error) {
	var m EventMeta
	for _, header := range headers {
		if err := m.set(Header(header)); err != nil {
			return m, err
		}
	}
	if m.EventID == "" || m.SourceID == "" || m.Environment == "" || m.Event == "" || m.ReceivedAt.IsZero() {
		return m, errIncomplete()
	}
	return m, nil
}

func (m *EventMeta) set(header Header) error {
	switch header.Key {
	case eventIDHeader:
		m.EventID = string(header.Value)
	case sourceHeader:
		m.SourceID = string(header.Value)
	case environmentHeader:
		m.Environment = string(header.Value)
	case eventHeader:
		m.Event = string(header.Value)
	case messageIDHeader:
		m.MessageID = string(header.Value)
	case receivedAtHeader:
		return readTime(&m.ReceivedAt, header)
	}
	return nil
}

func readTime(at *time.Time, header Header) error {
	layout := headerTimeFormat
	if len(header.Value) == len("2026-01-31T12:00:00.000Z") && header.Value[19] == '.' && header.Value[23] == 'Z' {
		layout = time.RFC3339 // accepts the same of this shape, in a third of the time
	}
	parsed, err := time.Parse(layout, string(header.Value))
	if err != nil {
		return fmt.Errorf("%w: header %s: %w", ErrNotAnEvent, header.Key, err)
	}
	*at = parsed
	return nil
}

// EventMark is what the dedup index keeps of an event.
type EventMark struct {
	Key        Key
	HasKey     bool // whether the event can be a repeat: it has a message ID
	ReceivedAt time.Time
}

// ReadEventMark reads the headers of an events record as ReadEventMeta does, for a reader who wants no more: it makes no
// garbage, and millions of events are read in a row.
func ReadEventMark[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) (EventMark, error) {
	var mark EventMark
	var eventID, source, environment, event, messageID []byte
	for _, h := range headers {
		header := Header(h)
		switch header.Key {
		case eventIDHeader:
			eventID = header.Value
		case sourceHeader:
			source = header.Value
		case environmentHeader:
			environment = header.Value
		case eventHeader:
			event = header.Value
		case messageIDHeader:
			messageID = header.Value
		case receivedAtHeader:
			if err := readTime(&mark.ReceivedAt, header); err != nil {
				return mark, err
			}
		}
	}
	if len(eventID) == 0 || len(source) == 0 || len(environment) == 0 || len(event) == 0 || mark.ReceivedAt.IsZero() {
		return mark, errIncomplete()
	}
	mark.HasKey = len(messageID) > 0
	if mark.HasKey {
		mark.Key = hashKey(environment, source, event, messageID)
	}
	return mark, nil
}

func errIncomplete() error {
	return fmt.Errorf("%w: a header among %s, %s, %s, %s, %s is missing", ErrNotAnEvent,
		eventIDHeader, sourceHeader, environmentHeader, eventHeader, receivedAtHeader)
}
