package schemas

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/millrace/millrace/schemas/jsonscan"
)

// The functions of this file write what Encode writes, byte for byte, for the records that are made for each event and
// each run: there, finding the members by reflection and reading a run's request once more took as long as asking ten
// triggers.

// AppendDecision appends the decision to out as Encode writes it.
func AppendDecision(out []byte, d *Decision) []byte {
	out = appendInt(append(out, `{"schema":`...), int64(d.Schema))
	out = appendText(append(out, `,"event_id":`...), d.EventID)
	out = appendText(append(out, `,"source_id":`...), d.SourceID)
	out = appendText(append(out, `,"environment":`...), d.Environment)
	out = appendText(append(out, `,"event":`...), d.Event)
	out = appendText(append(out, `,"status":`...), string(d.Status))
	if d.Reason != "" {
		out = appendText(append(out, `,"reason":`...), d.Reason)
	}
	if d.DuplicateOf != nil {
		out = appendPosition(append(out, `,"duplicate_of":`...), *d.DuplicateOf)
	}
	out = appendTime(append(out, `,"received_at":`...), d.ReceivedAt)
	out = appendTime(append(out, `,"decided_at":`...), d.DecidedAt)
	if d.ReplayID != "" {
		out = appendText(append(out, `,"replay_id":`...), d.ReplayID)
	}
	out = appendPosition(append(out, `,"input":`...), d.Input)
	if d.Triggers == nil {
		return append(out, `,"triggers":null}`...)
	}
	out = append(out, `,"triggers":[`...)
	for i := range d.Triggers {
		if i > 0 {
			out = append(out, ',')
		}
		out = AppendTriggerDecision(out, &d.Triggers[i])
	}
	return append(out, "]}"...)
}

// AppendTriggerDecision appends one entry of a decision's triggers to out.
func AppendTriggerDecision(out []byte, t *TriggerDecision) []byte {
	if t.identity != "" {
		out = append(out, t.identity...)
	} else {
		out = t.appendIdentity(out)
	}
	out = appendText(append(out, `,"outcome":`...), string(t.Outcome))
	if t.Reason != "" {
		out = appendText(append(out, `,"reason":`...), t.Reason)
	}
	if t.RunID != "" {
		out = appendText(append(out, `,"run_id":`...), t.RunID)
	}
	return append(out, '}')
}

func (t *TriggerDecision) appendIdentity(out []byte) []byte {
	out = appendText(append(out, `{"trigger_id":`...), t.TriggerID)
	out = appendInt(append(out, `,"revision":`...), t.Revision)
	return appendText(append(out, `,"workflow":`...), t.Workflow)
}

// AppendRun appends the run to out as Encode writes it. Its request must be compact JSON, as rules writes it: nobody
// reads it here.
func AppendRun(out []byte, r *Run) []byte {
	out = appendInt(append(out, `{"schema":`...), int64(r.Schema))
	out = appendText(append(out, `,"run_id":`...), r.RunID)
	out = appendText(append(out, `,"environment":`...), r.Environment)
	out = appendText(append(out, `,"source_id":`...), r.SourceID)
	out = appendText(append(out, `,"workflow":`...), r.Workflow)
	out = appendText(append(out, `,"trigger_id":`...), r.TriggerID)
	out = appendInt(append(out, `,"trigger_revision":`...), r.TriggerRevision)
	out = appendText(append(out, `,"event_id":`...), r.EventID)
	out = appendTime(append(out, `,"received_at":`...), r.ReceivedAt)
	out = appendTime(append(out, `,"created_at":`...), r.CreatedAt)
	if r.ReplayID != "" {
		out = appendText(append(out, `,"replay_id":`...), r.ReplayID)
	}
	out = append(append(out, `,"request":`...), r.Request...)
	return append(out, '}')
}

// AppendDelivery appends the delivery to out as Encode writes it.
func AppendDelivery(out []byte, d *Delivery) []byte {
	out = appendInt(append(out, `{"schema":`...), int64(d.Schema))
	out = appendText(append(out, `,"run_id":`...), d.RunID)
	out = appendText(append(out, `,"event_id":`...), d.EventID)
	out = appendText(append(out, `,"environment":`...), d.Environment)
	out = appendText(append(out, `,"workflow":`...), d.Workflow)
	out = appendInt(append(out, `,"attempt":`...), int64(d.Attempt))
	out = appendText(append(out, `,"outcome":`...), string(d.Outcome))
	out = appendTime(append(out, `,"attempted_at":`...), d.AttemptedAt)
	out = appendMs(append(out, `,"latency_ms":`...), d.LatencyMs)
	if d.StatusCode != 0 {
		out = appendInt(append(out, `,"status_code":`...), int64(d.StatusCode))
	}
	if d.Error != "" {
		out = appendText(append(out, `,"error":`...), d.Error)
	}
	if d.Response != "" {
		out = appendText(append(out, `,"response":`...), d.Response)
	}
	if d.WorkflowRunID != "" {
		out = appendText(append(out, `,"workflow_run_id":`...), d.WorkflowRunID)
	}
	return append(out, '}')
}

// appendMs appends a time in milliseconds, which is at least one nanosecond and at most some hundred years.
func appendMs(out []byte, ms float64) []byte { return strconv.AppendFloat(out, ms, 'f', -1, 64) }

func appendPosition(out []byte, p Position) []byte {
	out = appendInt(append(out, `{"partition":`...), int64(p.Partition))
	out = appendInt(append(out, `,"offset":`...), p.Offset)
	return append(out, '}')
}

func appendInt(out []byte, i int64) []byte { return strconv.AppendInt(out, i, 10) }

// appendTime writes what time.RFC3339Nano does. Times of whole milliseconds in UTC, as all of ours are, are written by
// hand, which takes a third of the time.
func appendTime(out []byte, at time.Time) []byte {
	out = append(out, '"')
	if at.Location() != time.UTC || at.Nanosecond()%int(time.Millisecond) != 0 || at.Year() < 0 || at.Year() > 9999 {
		return append(at.AppendFormat(out, time.RFC3339Nano), '"')
	}
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	out = appendPair(appendPair(out, year/100), year%100)
	out = appendPair(append(out, '-'), int(month))
	out = appendPair(append(out, '-'), day)
	out = appendPair(append(out, 'T'), hour)
	out = appendPair(append(out, ':'), minute)
	out = appendPair(append(out, ':'), second)
	out = appendMilliseconds(out, at.Nanosecond()/int(time.Millisecond))
	return append(out, `Z"`...)
}

func appendPair(out []byte, number int) []byte {
	return append(out, byte('0'+number/10), byte('0'+number%10))
}

// appendMilliseconds writes no zeros at the end.
func appendMilliseconds(out []byte, ms int) []byte {
	if ms == 0 {
		return out
	}
	out = appendPair(append(out, '.'), ms/10)
	if last := ms % 10; last != 0 {
		return append(out, byte('0'+last))
	}
	return bytes.TrimRight(out, "0")
}

// appendText appends a JSON string. What needs an escape is rare and left to encoding/json.
func appendText(out []byte, text string) []byte {
	if !jsonscan.IsPlain(text) {
		return appendEscaped(out, text)
	}
	out = append(append(out, '"'), text...)
	return append(out, '"')
}

func appendEscaped(out []byte, text string) []byte {
	var escaped bytes.Buffer
	enc := json.NewEncoder(&escaped)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic(err) // a string always has a form in JSON
	}
	return append(out, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
}
