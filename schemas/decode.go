package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
	"unsafe"

	"github.com/millrace/millrace/schemas/jsonscan"
)

// DecodeRun is Decode for runs, in a quarter of the time: the dispatcher reads every run. The request shares the memory of value. What
// Encode and AppendRun do not write is left to Decode, errors included.
func DecodeRun(value []byte) (Run, error) {
	r := Run{}
	f := newFields()
	f.each(value, func(name string, value []byte) {
		switch name {
		case "schema":
			r.Schema = int(f.integer(value))
		case "run_id":
			r.RunID = f.text(value)
		case "environment":
			r.Environment = f.text(value)
		case "source_id":
			r.SourceID = f.text(value)
		case "workflow":
			r.Workflow = f.text(value)
		case "trigger_id":
			r.TriggerID = f.text(value)
		case "trigger_revision":
			r.TriggerRevision = f.integer(value)
		case "event_id":
			r.EventID = f.text(value)
		case "received_at":
			r.ReceivedAt = f.time(value)
		case "created_at":
			r.CreatedAt = f.time(value)
		case "replay_id":
			r.ReplayID = f.text(value)
		case "request":
			r.Request = value
		default:
			f.isOdd = true
		}
	})
	if f.isOdd || checkVersion(r.Schema) != nil {
		return Decode[Run](value)
	}
	return r, nil
}

// DecodeDecision is Decode for decisions, in a seventh of the time: the event log reads one for every event. Its texts share
// the memory of value, which must not be written to again. What Encode and AppendDecision do not write is left to Decode, errors
// included.
func DecodeDecision(value []byte) (Decision, error) {
	d := Decision{}
	f := newFields()
	f.each(value, func(name string, value []byte) {
		switch name {
		case "schema":
			d.Schema = int(f.integer(value))
		case "event_id":
			d.EventID = f.shared(value)
		case "source_id":
			d.SourceID = f.shared(value)
		case "environment":
			d.Environment = f.shared(value)
		case "event":
			d.Event = f.shared(value)
		case "status":
			d.Status = Status(f.shared(value))
		case "reason":
			d.Reason = f.shared(value)
		case "duplicate_of":
			f.isOdd = f.isOdd || d.DuplicateOf != nil // Decode puts two together
			at := f.position(value)
			d.DuplicateOf = &at
		case "received_at":
			d.ReceivedAt = f.time(value)
		case "decided_at":
			d.DecidedAt = f.time(value)
		case "replay_id":
			d.ReplayID = f.shared(value)
		case "input":
			f.isOdd = f.isOdd || d.Input != Position{}
			d.Input = f.position(value)
		case "triggers":
			f.isOdd = f.isOdd || d.Triggers != nil
			d.Triggers = f.triggers(value)
		default:
			f.isOdd = true
		}
	})
	if f.isOdd || checkVersion(d.Schema) != nil {
		return Decode[Decision](value)
	}
	return d, nil
}

func (f *fields) triggers(value []byte) []TriggerDecision {
	elements := f.enter(value, '[')
	defer f.leave(elements)
	if f.isOdd {
		return nil
	}
	all := make([]TriggerDecision, len(elements))
	for i, element := range elements {
		t := &all[i]
		f.each(element.Value, func(name string, value []byte) {
			switch name {
			case "trigger_id":
				t.TriggerID = f.shared(value)
			case "revision":
				t.Revision = f.integer(value)
			case "workflow":
				t.Workflow = f.shared(value)
			case "outcome":
				t.Outcome = Outcome(f.shared(value))
			case "reason":
				t.Reason = f.shared(value)
			case "run_id":
				t.RunID = f.shared(value)
			default:
				f.isOdd = true
			}
		})
	}
	return all
}

func (f *fields) position(value []byte) (at Position) {
	f.each(value, func(name string, value []byte) {
		switch name {
		case "partition":
			partition, err := strconv.ParseInt(string(value), 10, 32)
			at.Partition, f.isOdd = int32(partition), f.isOdd || err != nil
		case "offset":
			at.Offset = f.integer(value)
		default:
			f.isOdd = true
		}
	})
	return at
}

// DecodeEntry is Decode for the catalog, whose records are written again. isWhole is false where the record has members that
// this release does not know: to write it again would drop them.
func DecodeEntry(value []byte) (entry CatalogEntry, isWhole bool, err error) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&entry) == nil && checkVersion(entry.Schema) == nil {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return entry, true, nil
		}
	}
	entry, err = Decode[CatalogEntry](value)
	return entry, false, err
}

// fields reads the values of members. isOdd says that one was not of its kind, or not as we write it.
type fields struct {
	isOdd bool
	room  []jsonscan.Member // of the containers that are being read, the outermost first
}

// newFields has room for a decision of ten triggers.
func newFields() fields { return fields{room: make([]jsonscan.Member, 0, 32)} }

// each visits the members of an object.
func (f *fields) each(object []byte, visit func(name string, value []byte)) {
	members := f.enter(object, '{')
	for _, m := range members {
		visit(Share(m.Name), m.Value)
	}
	f.leave(members)
}

// enter returns what lies in an object or an array, until leave.
func (f *fields) enter(container []byte, kind byte) []jsonscan.Member {
	start := len(f.room)
	all, _, err := jsonscan.AppendMembers(f.room, container, MaxDepth+2)
	if err != nil || kindOf(container) != kind {
		f.isOdd = true
		return nil
	}
	f.room = all
	return all[start:]
}

func (f *fields) leave(members []jsonscan.Member) { f.room = f.room[:len(f.room)-len(members)] }

func (f *fields) text(value []byte) string { return string(f.unescaped(value)) }

func (f *fields) shared(value []byte) string { return Share(f.unescaped(value)) }

func (f *fields) unescaped(value []byte) []byte {
	if value[0] != '"' {
		f.isOdd = true
		return nil
	}
	return jsonscan.Unescape(value[1 : len(value)-1])
}

// Share returns text without copying it. Nobody may write to it again, as nobody does to the records that come from Kafka.
func Share(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

func (f *fields) integer(value []byte) int64 {
	number, err := strconv.ParseInt(string(value), 10, 64)
	f.isOdd = f.isOdd || err != nil
	return number
}

func (f *fields) time(value []byte) time.Time {
	var at time.Time
	err := at.UnmarshalText(f.unescaped(value))
	f.isOdd = f.isOdd || err != nil
	return at
}
