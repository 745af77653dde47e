package schemas

import (
	"bytes"
	"strconv"
)

// maxKnown bounds what a DecisionDecoder remembers; when there is more, it begins anew.
const maxKnown = 10_000

// DecisionDecoder reads decisions. Most entries of their triggers are the same in one decision after the other, and are
// read once. It is for one goroutine at a time; the zero value is ready.
type DecisionDecoder struct {
	known map[string]TriggerDecision // by their text; those that speak of one event alone are not in it
}

// Decode is the function Decode for decisions: the event log reads one for every event. Its texts share the memory of value,
// which must not be written to again. What Encode and AppendDecision do not write is left to Decode, errors
// included.
func (decoder *DecisionDecoder) Decode(value []byte) (Decision, error) {
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
			d.Triggers = decoder.triggers(&f, value)
		default:
			f.isOdd = true
		}
	})
	if f.isOdd || checkVersion(d.Schema) != nil {
		return Decode[Decision](value)
	}
	return d, nil
}

func (decoder *DecisionDecoder) triggers(f *fields, value []byte) []TriggerDecision {
	elements := f.enter(value, '[')
	defer f.leave(elements)
	if f.isOdd {
		return nil
	}
	all := make([]TriggerDecision, len(elements))
	for i, element := range elements {
		all[i] = decoder.trigger(f, element.Value)
	}
	return all
}

func (decoder *DecisionDecoder) trigger(f *fields, value []byte) TriggerDecision {
	if t, isKnown := decoder.known[string(value)]; isKnown {
		return t
	}
	own := bytes.Clone(value) // what is remembered must not keep the record
	t := f.trigger(own)
	if f.isOdd || t.RunID != "" || t.Reason != "" {
		return t
	}
	if decoder.known == nil || len(decoder.known) >= maxKnown {
		decoder.known = make(map[string]TriggerDecision)
	}
	decoder.known[Share(own)] = t
	return t
}

func (f *fields) trigger(value []byte) TriggerDecision {
	var t TriggerDecision
	f.each(value, func(name string, value []byte) {
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
	return t
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
