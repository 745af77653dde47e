package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/millrace/millrace/schemas/jsonscan"
)

// DecodeRun is Decode for runs, in a quarter of the time: the dispatcher reads every run. The request shares the memory of value. What
// Encode and AppendRun do not write is left to Decode, errors included.
func DecodeRun(value []byte) (Run, error) {
	var room [16]jsonscan.Member // more than runs have
	members, _, err := jsonscan.AppendMembers(room[:0], value, MaxDepth+2)
	if err != nil || kindOf(value) != '{' {
		return Decode[Run](value)
	}
	var r Run
	f := fields{}
	for _, m := range members {
		switch string(m.Name) {
		case "schema":
			r.Schema = int(f.integer(m.Value))
		case "run_id":
			r.RunID = f.text(m.Value)
		case "environment":
			r.Environment = f.text(m.Value)
		case "source_id":
			r.SourceID = f.text(m.Value)
		case "workflow":
			r.Workflow = f.text(m.Value)
		case "trigger_id":
			r.TriggerID = f.text(m.Value)
		case "trigger_revision":
			r.TriggerRevision = f.integer(m.Value)
		case "event_id":
			r.EventID = f.text(m.Value)
		case "received_at":
			r.ReceivedAt = f.time(m.Value)
		case "created_at":
			r.CreatedAt = f.time(m.Value)
		case "replay_id":
			r.ReplayID = f.text(m.Value)
		case "request":
			r.Request = m.Value
		default:
			f.isOdd = true
		}
	}
	if f.isOdd || checkVersion(r.Schema) != nil {
		return Decode[Run](value)
	}
	return r, nil
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
type fields struct{ isOdd bool }

func (f *fields) text(value []byte) string {
	if value[0] != '"' {
		f.isOdd = true
		return ""
	}
	return string(jsonscan.Unescape(value[1 : len(value)-1]))
}

func (f *fields) integer(value []byte) int64 {
	number, err := strconv.ParseInt(string(value), 10, 64)
	f.isOdd = f.isOdd || err != nil
	return number
}

func (f *fields) time(value []byte) time.Time {
	var at time.Time
	err := at.UnmarshalText([]byte(f.text(value)))
	f.isOdd = f.isOdd || err != nil
	return at
}
