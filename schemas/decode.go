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

// DecodeDelivery is Decode for deliveries, as DecodeRun is. Its texts share the memory of value.
func DecodeDelivery(value []byte) (Delivery, error) {
	d := Delivery{}
	f := newFields()
	f.each(value, func(name string, value []byte) {
		switch name {
		case "schema":
			d.Schema = int(f.integer(value))
		case "run_id":
			d.RunID = f.shared(value)
		case "event_id":
			d.EventID = f.shared(value)
		case "environment":
			d.Environment = f.shared(value)
		case "workflow":
			d.Workflow = f.shared(value)
		case "attempt":
			d.Attempt = int(f.integer(value))
		case "outcome":
			d.Outcome = DeliveryOutcome(f.shared(value))
		case "attempted_at":
			d.AttemptedAt = f.time(value)
		case "latency_ms":
			d.LatencyMs = f.float(value)
		case "status_code":
			d.StatusCode = int(f.integer(value))
		case "error":
			d.Error = f.shared(value)
		case "response":
			d.Response = f.shared(value)
		case "workflow_run_id":
			d.WorkflowRunID = f.shared(value)
		default:
			f.isOdd = true
		}
	})
	if f.isOdd || checkVersion(d.Schema) != nil {
		return Decode[Delivery](value)
	}
	return d, nil
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

func (f *fields) float(value []byte) float64 {
	number, err := strconv.ParseFloat(string(value), 64)
	f.isOdd = f.isOdd || err != nil
	return number
}

func (f *fields) time(value []byte) time.Time {
	var at time.Time
	err := at.UnmarshalText(f.unescaped(value))
	f.isOdd = f.isOdd || err != nil
	return at
}
