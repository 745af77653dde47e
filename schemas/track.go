package schemas

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"
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
	// IgnoredMessageID says that the body has a message ID that is empty or too long to be a dedup key.
	IgnoredMessageID bool
}

// ParseTrack checks a posted body and returns what Millrace reads of it. Every error is a *FieldError. The whole body
// is read: it must be one JSON object in valid UTF-8 (escapes included), with unique member names at the top level and
// at most MaxDepth levels deep, so that every later reader sees the same event.
func ParseTrack(body []byte) (Track, error) {
	p := trackParser{
		dec:  jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true)),
		seen: make(map[string]bool, 16),
	}
	if err := p.parse(); err != nil {
		return Track{}, p.explain(err)
	}
	return p.track, nil
}

type trackParser struct {
	dec     *jsontext.Decoder
	seen    map[string]bool
	track   Track
	hasType bool
	// refusal is the first rule of the table that is broken. It is reported only when the whole body is sound JSON:
	// invalid JSON is the more basic fault.
	refusal *FieldError
}

func (p *trackParser) parse() error {
	switch p.dec.PeekKind() {
	case '{':
	case '[':
		p.refuse(BatchNotSupported, "", "the body is an array; post one event per request")
		return p.finish()
	default:
		p.refuse(InvalidEvent, "", "the body is not an object; post one track event as a JSON object")
		return p.finish()
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for p.dec.PeekKind() != '}' {
		if err := p.member(); err != nil {
			return err
		}
	}
	p.require()
	return p.finish()
}

// finish reads what is left of the body, which must be nothing after the one value.
func (p *trackParser) finish() error {
	for first := true; first || p.dec.StackDepth() > 0; first = false {
		if err := p.next(); err != nil {
			return err
		}
	}
	if kind := p.dec.PeekKind(); kind != 0 {
		return &FieldError{Code: InvalidJSON, Message: fmt.Sprintf("more than one JSON value in the body, the second at byte %d", p.dec.InputOffset())}
	}
	if _, err := p.dec.ReadToken(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if p.refusal != nil {
		return p.refusal
	}
	return nil
}

func (p *trackParser) member() error {
	token, err := p.dec.ReadToken()
	if err != nil {
		return err
	}
	name := token.String()
	if p.seen[name] {
		return &FieldError{Code: InvalidJSON, Field: name, Message: fmt.Sprintf("member %q appears twice; readers would disagree on its value", name)}
	}
	p.seen[name] = true
	return p.value(name)
}

func (p *trackParser) value(name string) error {
	kind := p.dec.PeekKind()
	switch name {
	case "type", "event", "userId", "messageId", "timestamp", "anonymousId":
		if kind != '"' {
			p.notAString(name, kind)
			return p.skip()
		}
		token, err := p.dec.ReadToken()
		if err != nil {
			return err
		}
		p.text(name, token.String())
		return nil
	case "properties":
		if kind != '{' && kind != 'n' {
			p.refuse(InvalidEvent, name, "properties must be an object")
		}
	case "batch":
		p.refuse(BatchNotSupported, name, "the body holds a batch; post one event per request")
	}
	return p.skip()
}

// notAString notes a known member that should be a string. null counts as absent; anonymousId is only kept.
func (p *trackParser) notAString(name string, kind jsontext.Kind) {
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

// skip reads one value of whatever shape.
func (p *trackParser) skip() error {
	depth := p.dec.StackDepth()
	for first := true; first || p.dec.StackDepth() > depth; first = false {
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

func (p *trackParser) next() error {
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	if p.dec.StackDepth() > MaxDepth {
		return &FieldError{Code: InvalidJSON, Message: fmt.Sprintf("more than %d levels of objects and arrays", MaxDepth)}
	}
	return nil
}

// explain turns whatever stopped the parser into a *FieldError.
func (p *trackParser) explain(err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		return field
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return &FieldError{Code: InvalidJSON, Message: fmt.Sprintf("not valid JSON: %v at byte %d", syntactic.Err, syntactic.ByteOffset)}
	}
	return &FieldError{Code: InvalidJSON, Message: "not valid JSON: the body ends early"}
}
