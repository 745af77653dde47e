package schemas

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/schemas/jsonscan"
)

// The limits of a posted event, product contract section 2.
const (
	MaxNameBytes = 255 // of an event name and of a message ID
	MaxDepth     = 64  // of objects and arrays inside one another
)

// ErrorCode names the reason of a refusal in the answer's body.
type ErrorCode string

// The codes of a body that is refused.
const (
	InvalidJSON       ErrorCode = "invalid_json"
	InvalidEvent      ErrorCode = "invalid_event"
	BatchNotSupported ErrorCode = "batch_not_supported"
	UnsupportedType   ErrorCode = "unsupported_type"
)

// FieldError says why a body is not an acceptable track event, and which field to mend.
type FieldError struct {
	Code    ErrorCode
	Field   string // "" when the body as a whole is at fault
	Message string // says what is wrong and what to do
}

func (e *FieldError) Error() string { return e.Message }

// Track is what Millrace itself reads of a posted event. The rest of the body stays as it is.
type Track struct {
	Event       string
	MessageID   string // "" when absent or unusable
	UserID      string // "" when absent
	AnonymousID string // "" when absent or not a string
	Timestamp   time.Time
	Properties  []byte // the object's text, in the memory of the body; nil when absent
	// IgnoredMessageID says that the body has a message ID that is empty or too long to be a dedup key.
	IgnoredMessageID bool
}

// ParseTrack checks a posted body and returns what Millrace reads of it. Every error is a *FieldError. The whole body
// is read: it must be one JSON object in valid UTF-8 (escapes included), with unique member names at the top level and
// at most MaxDepth levels deep, so that every later reader sees the same event.
func ParseTrack(body []byte) (Track, error) {
	var room [16]jsonscan.Member // more than events have
	members, _, err := jsonscan.AppendMembers(room[:0], body, MaxDepth)
	if err != nil {
		return Track{}, &FieldError{Code: InvalidJSON, Message: err.Error()}
	}
	switch kindOf(body) {
	case '{':
	case '[':
		return Track{}, &FieldError{Code: BatchNotSupported, Message: "the body is an array; post one event per request"}
	default:
		return Track{}, &FieldError{Code: InvalidEvent, Message: "the body is not an object; post one track event as a JSON object"}
	}
	if err := checkNames(members); err != nil {
		return Track{}, err
	}
	var p trackParser
	for _, member := range members {
		p.value(jsonscan.Unescape(member.Name), member.Value)
	}
	p.require()
	if p.refusal != nil {
		return Track{}, p.refusal
	}
	return p.track, nil
}

// kindOf returns the first byte of a JSON text, which tells its kind.
func kindOf(text []byte) byte { return bytes.TrimLeft(text, " \n\t\r")[0] }

// fewNames is how many names are compared with each other; more are gathered in a map.
const fewNames = 16

// checkNames refuses an object that has two members of a name.
func checkNames(members []jsonscan.Member) error {
	var seen map[string]bool
	if len(members) > fewNames {
		seen = make(map[string]bool, len(members))
	}
	for i, member := range members {
		name := jsonscan.Unescape(member.Name)
		isSeen := seen[string(name)]
		if seen != nil {
			seen[string(name)] = true
		} else {
			isSeen = slices.ContainsFunc(members[:i], func(before jsonscan.Member) bool { return bytes.Equal(jsonscan.Unescape(before.Name), name) })
		}
		if isSeen {
			return &FieldError{Code: InvalidJSON, Field: string(name), Message: fmt.Sprintf("member %q appears twice; readers would disagree on its value", name)}
		}
	}
	return nil
}

// trackParser gathers what the members of an event say.
type trackParser struct {
	track   Track
	hasType bool
	refusal *FieldError // the first rule of the table that is broken
}

func (p *trackParser) value(name, text []byte) {
	kind := text[0]
	switch field := known(name); field {
	case "type", "event", "userId", "messageId", "timestamp", "anonymousId":
		if kind != '"' {
			p.notAString(field, kind)
			return
		}
		p.text(field, string(jsonscan.Unescape(text[1:len(text)-1])))
	case "properties":
		switch kind {
		case '{':
			p.track.Properties = text
		case 'n':
		default:
			p.refuse(InvalidEvent, field, "properties must be an object")
		}
	case "batch":
		p.refuse(BatchNotSupported, field, "the body holds a batch; post one event per request")
	}
}

// known returns the name of a member that is looked at, "" for any other. Each event has a dozen names, and a string made of
// each would cost as much as reading it.
func known(name []byte) string {
	for _, field := range [...]string{"type", "event", "userId", "messageId", "timestamp", "anonymousId", "properties", "batch"} {
		if string(name) == field {
			return field
		}
	}
	return ""
}

// notAString notes a known member that should be a string. null counts as absent; anonymousId is only kept.
func (p *trackParser) notAString(name string, kind byte) {
	if kind == 'n' || name == "anonymousId" {
		return
	}
	p.refuse(InvalidEvent, name, name+" must be a string")
}

func (p *trackParser) text(name, value string) {
	switch name {
	case "type":
		p.hasType = true
		if value != "track" {
			p.refuse(UnsupportedType, name, fmt.Sprintf("type %.40q is not supported; only track events are, send the rest elsewhere", value))
		}
	case "event":
		p.track.Event = value
		if len(value) == 0 || len(value) > MaxNameBytes {
			p.refuse(InvalidEvent, name, fmt.Sprintf("event must be 1 to %d bytes, it has %d", MaxNameBytes, len(value)))
		}
	case "userId":
		p.track.UserID = value
	case "anonymousId":
		p.track.AnonymousID = value
	case "messageId":
		p.messageID(value)
	case "timestamp":
		p.timestamp(value)
	}
}

func (p *trackParser) messageID(value string) {
	if len(value) == 0 || len(value) > MaxNameBytes {
		p.track.IgnoredMessageID = true
		return
	}
	p.track.MessageID = value
}

func (p *trackParser) timestamp(value string) {
	at, err := ParseTimestamp(value)
	if err != nil {
		p.refuse(InvalidEvent, "timestamp", err.Error())
		return
	}
	p.track.Timestamp = at
}

func (p *trackParser) require() {
	if !p.hasType {
		p.refuse(InvalidEvent, "type", `type is missing; it must be "track"`)
	}
	if p.track.Event == "" {
		p.refuse(InvalidEvent, "event", "event is missing; give the event's name, 1 to 255 bytes")
	}
}

// refuse notes the first broken rule. A batch or another type explains every other broken rule, so it wins.
func (p *trackParser) refuse(code ErrorCode, field, message string) {
	if p.refusal == nil || p.refusal.Code == InvalidEvent && code != InvalidEvent {
		p.refusal = &FieldError{Code: code, Field: field, Message: message}
	}
}
