package schemas

import (
	"errors"
	"fmt"
	"strings"
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

// Names of the headers of an events record. One that is traced has a traceparent, too: see trace.go.
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
	// All values lie in one piece of memory, because each piece costs more than what is copied into it.
	room := make([]byte, 0, len(m.EventID)+len(m.SourceID)+len(m.Environment)+len(m.Event)+len(m.MessageID)+len(headerTimeFormat))
	text := func(value string) []byte {
		start := len(room)
		room = append(room, value...)
		return room[start:len(room):len(room)]
	}
	return []H{
		H(Header{eventIDHeader, text(m.EventID)}),
		H(Header{sourceHeader, text(m.SourceID)}),
		H(Header{environmentHeader, text(m.Environment)}),
		H(Header{eventHeader, text(m.Event)}),
		H(Header{messageIDHeader, text(m.MessageID)}),
		H(Header{receivedAtHeader, appendHeaderTime(room[len(room):], m.ReceivedAt.UTC())}),
	}
}

// appendHeaderTime formats a time in UTC as headerTimeFormat does, but faster: package time has a short way for RFC 3339 alone.
func appendHeaderTime(text []byte, at time.Time) []byte {
	milliseconds := at.Nanosecond() / int(time.Millisecond)
	text = at.AppendFormat(text, time.RFC3339)
	text[len(text)-1] = '.' // in place of the Z of UTC
	return append(text, byte('0'+milliseconds/100), byte('0'+milliseconds/10%10), byte('0'+milliseconds%10), 'Z')
}

// ReadEventMeta reads the headers of an events record. Unknown headers are ignored. It fails with a VersionError on a
// version that this release does not read, and with ErrNotAnEvent when the event ID, source, environment, event name or
// time is missing or malformed.
func ReadEventMeta[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) (EventMeta, error) {
	var m EventMeta
	if err := checkHeaders(headers); err != nil {
		return m, err
	}
	rest := texts(headers)
	for _, header := range headers {
		size := len(Header(header).Value)
		if err := m.set(Header(header).Key, rest[:size]); err != nil {
			return m, err
		}
		rest = rest[size:]
	}
	if m.EventID == "" || m.SourceID == "" || m.Environment == "" || m.Event == "" || m.ReceivedAt.IsZero() {
		return m, errMissingHeader()
	}
	return m, nil
}

// ReadReceived reads of an events record only when it was received and whether it has a message ID, in half the time. It
// fails where ReadEventMeta does.
func ReadReceived[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) (receivedAt time.Time, hasMessageID bool, err error) {
	if err := checkHeaders(headers); err != nil {
		return receivedAt, false, err
	}
	var hasID, hasSource, hasEnvironment, hasEvent bool
	for _, h := range headers {
		header := Header(h)
		isGiven := len(header.Value) > 0
		switch header.Key {
		case eventIDHeader:
			hasID = isGiven
		case sourceHeader:
			hasSource = isGiven
		case environmentHeader:
			hasEnvironment = isGiven
		case eventHeader:
			hasEvent = isGiven
		case messageIDHeader:
			hasMessageID = isGiven
		case receivedAtHeader:
			if receivedAt, err = parseReceived(string(header.Value)); err != nil {
				return receivedAt, false, err
			}
		}
	}
	if !hasID || !hasSource || !hasEnvironment || !hasEvent || receivedAt.IsZero() {
		return receivedAt, false, errMissingHeader()
	}
	return receivedAt, hasMessageID, nil
}

func errMissingHeader() error {
	return fmt.Errorf("%w: a header among %s, %s, %s, %s, %s is missing", ErrNotAnEvent,
		eventIDHeader, sourceHeader, environmentHeader, eventHeader, receivedAtHeader)
}

func parseReceived(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text) // which is read faster than headerTimeFormat
	if err == nil && at.Location() != time.UTC {
		err = errors.New("not in UTC")
	}
	if err != nil {
		return at, fmt.Errorf("%w: header %s: %w", ErrNotAnEvent, receivedAtHeader, err)
	}
	return at, nil
}

// texts returns the values of all headers behind one another: one string takes less time than several.
func texts[H ~struct {
	Key   string
	Value []byte
}](headers []H,
) string {
	size := 0
	for _, header := range headers {
		size += len(Header(header).Value)
	}
	var all strings.Builder
	all.Grow(size)
	for _, header := range headers {
		all.Write(Header(header).Value)
	}
	return all.String()
}

func (m *EventMeta) set(header, text string) error {
	switch header {
	case eventIDHeader:
		m.EventID = text
	case sourceHeader:
		m.SourceID = text
	case environmentHeader:
		m.Environment = text
	case eventHeader:
		m.Event = text
	case messageIDHeader:
		m.MessageID = text
	case receivedAtHeader:
		at, err := parseReceived(text)
		if err != nil {
			return err
		}
		m.ReceivedAt = at
	}
	return nil
}
