package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace/millrace/schemas"
)

// Event is an event as triggers see it. The body is read at most once, level by level, and not at all while nobody
// asks for something in it. An Event is for one goroutine at a time, and for one event after the other.
type Event struct {
	meta   schemas.EventMeta
	source string
	body   []byte

	arena   arena
	raw     value // the whole body, once it is opened
	failure error // why the body cannot be opened
	roots   [rootCount]*value
	found   [rootCount]bool  // which of roots have been looked for
	plain   [rootCount]value // the roots that are not in the body

	machine vm.VM         // runs the expressions that need it
	stack   []any         // arguments of the operations under way, without the VM
	at      file.Location // the last of them
	steps   int           // what is left to the trigger at hand
	request []byte        // of the last trigger that matched
}

// vmMemory bounds what the lists and objects that an expression builds may hold, in members.
const vmMemory = 50_000

// NewEvent returns the event of a record. Source is the name of the event's source. The body must not change while
// the event is in use.
func NewEvent(meta schemas.EventMeta, body []byte, source string) *Event {
	e := &Event{machine: vm.VM{MemoryBudget: vmMemory}}
	e.Reset(meta, body, source)
	return e
}

// Reset makes it another event, which costs less than a new one.
func (e *Event) Reset(meta schemas.EventMeta, body []byte, source string) {
	e.meta, e.body, e.source = meta, body, source
	e.arena.reset()
	e.raw, e.failure = value{arena: &e.arena, raw: body}, nil
	clear(e.roots[:])
	clear(e.found[:])
	clear(e.plain[:])
	clear(e.stack[:cap(e.stack)])
}

// spend takes steps from what is left to the trigger at hand.
func (e *Event) spend(steps int) error {
	e.steps -= steps
	if e.steps < 0 {
		return fmt.Errorf("too much work for one event: more than %d steps; narrow the expression or use paths", maxSteps)
	}
	return nil
}

// open reads the body's first level.
func (e *Event) open() (*value, error) {
	if e.raw.level == nil && e.failure == nil {
		e.failure = e.raw.open()
		if e.failure == nil && e.raw.kind() != '{' {
			e.failure = fmt.Errorf("it is %s, not an object", e.raw.describe())
		}
	}
	if e.failure != nil {
		return nil, fmt.Errorf("the event's body cannot be read: %w", e.failure)
	}
	return &e.raw, nil
}

// root returns the value of a root, nil where the event has none.
func (e *Event) root(r root) (*value, error) {
	if e.found[r] {
		return e.roots[r], nil
	}
	v, err := e.find(r)
	if err != nil {
		return nil, err
	}
	e.roots[r], e.found[r] = v, true
	return v, nil
}

func (e *Event) find(r root) (*value, error) {
	switch r {
	case rootEvent:
		return e.text(rootEvent, e.meta.Event), nil
	case rootMessageID:
		return e.text(rootMessageID, e.meta.MessageID), nil
	case rootReceivedAt:
		return e.time(rootReceivedAt, e.meta.ReceivedAt), nil
	case rootSource:
		return e.text(rootSource, e.source), nil
	case rootEnvironment:
		return e.text(rootEnvironment, e.meta.Environment), nil
	default: // the others are in the body
	}
	body, err := e.open()
	if err != nil {
		return nil, err
	}
	switch r {
	case rootData:
		return objectOrNil(body.member("properties")), nil
	case rootUserID:
		return body.member("userId"), nil
	case rootAnonymousID:
		return body.member("anonymousId"), nil
	case rootTimestamp:
		return e.timestamp(body.member("timestamp")), nil
	case rootContext:
		return body.member("context"), nil
	default: // rootRaw
		return body, nil
	}
}

// objectOrNil drops properties that are null or no object: an event without properties has no data.
func objectOrNil(v *value) *value {
	if v == nil || v.kind() != '{' {
		return nil
	}
	return v
}

// timestamp is when the event says that it happened, or else when it was received.
func (e *Event) timestamp(v *value) *value {
	if v != nil && v.kind() == '"' {
		if at, err := schemas.ParseTimestamp(v.text()); err == nil {
			return e.time(rootTimestamp, at)
		}
	}
	return e.time(rootTimestamp, e.meta.ReceivedAt)
}

// text returns a root that is a string, nil for "".
func (e *Event) text(r root, s string) *value {
	if s == "" {
		return nil
	}
	e.plain[r] = value{arena: &e.arena, plain: s}
	return &e.plain[r]
}

// time returns a root that expressions see as a time and everybody else as an RFC 3339 string.
func (e *Event) time(r root, at time.Time) *value {
	e.plain[r] = value{arena: &e.arena, plain: at.UTC()}
	return &e.plain[r]
}

// write gives a value of text or time its JSON text: most are only compared and never need it.
func (v *value) write() {
	if v.raw != nil {
		return
	}
	switch plain := v.plain.(type) {
	case string:
		v.raw = quote(plain)
	case time.Time:
		v.raw = quote(formatTime(plain))
	}
}

// formatTime writes milliseconds, and more digits only where the time has them.
func formatTime(at time.Time) string {
	if at.Equal(at.Truncate(time.Millisecond)) {
		return at.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// quote returns s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func quote(s string) jsontext.Value {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		quoted, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return quoted
}
