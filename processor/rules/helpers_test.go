package rules_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// comment is an event with most shapes in it. Its space and its numbers are as unusual as JSON allows.
const comment = `{"type":"track","event":"Comment Created","userId":"user-1","messageId":"m-1",
	"timestamp":"2026-11-20T08:30:00.250Z","context":{"ip":"203.0.113.1"},
	"properties":{
		"total": 129.90, "count": 3, "big": 12345678901234567890, "exact": 1.10, "exp": 1e3, "text": "Grüße <b>&\u0041",
		"paid": true, "nothing": null, "empty": "", "none": [], "a.b": "dotted", "0": "zero", "back\\slash": 1,
		"owner": {"id": "user-7", "name": "Ada", "$trigger_data": {"x": 1}},
		"items": [{"sku": "A", "price": 2.5, "quantity": 2}, {"sku": "B", "price": 10, "quantity": 1}, {"sku": "C"}],
		"watchers": [{"id": "user-8"}, "user-9"], "tags": ["x", "y"], "numbers": [3, 1, 2], "nested": [["user-1"]],
		"due": "2026-12-01", "plan": "pro"
	}}`

func commentMeta() schemas.EventMeta {
	return schemas.EventMeta{
		EventID: "0193-e", SourceID: "src_1", Environment: "production", Event: "Comment Created", MessageID: "m-1",
		ReceivedAt: time.Date(2026, 11, 20, 8, 30, 1, 0, time.UTC),
	}
}

func commentEvent() *rules.Event { return rules.NewEvent(commentMeta(), []byte(comment), "webshop") }

func eventOf(body string) *rules.Event { return rules.NewEvent(commentMeta(), []byte(body), "webshop") }

// compiled returns an active trigger, compiled.
func compiled(t testing.TB, trigger schemas.Trigger) *rules.Trigger {
	t.Helper()
	trigger.Status = schemas.TriggerActive
	c, err := rules.Compile(trigger)
	if err != nil {
		t.Fatalf("compiling %q, %s: %v", trigger.Condition, encoded(t, trigger.Mapping), err)
	}
	return c
}

func withCondition(source string) schemas.Trigger { return schemas.Trigger{Condition: source} }

// withData maps one key of the data by an expression.
func withData(t testing.TB, source string) schemas.Trigger {
	t.Helper()
	return schemas.Trigger{Mapping: schemas.Mapping{Data: map[string]json.RawMessage{"out": encoded(t, map[string]string{"expr": source})}}}
}

func encoded(t testing.TB, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// samples returns the sample events with the headers they would have.
func samples(t testing.TB) []sample {
	t.Helper()
	text, err := os.ReadFile("../../schemas/testdata/track-events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for line := range bytes.Lines(text) {
		track, err := schemas.ParseTrack(line)
		if err != nil {
			t.Fatal(err)
		}
		meta := commentMeta()
		meta.Event, meta.MessageID = track.Event, track.MessageID
		all = append(all, sample{meta, bytes.TrimSpace(line)})
	}
	return all
}

type sample struct {
	meta schemas.EventMeta
	body []byte
}

func (s sample) event() *rules.Event { return rules.NewEvent(s.meta, s.body, "webshop") }
