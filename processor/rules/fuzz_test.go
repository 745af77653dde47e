package rules_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// FuzzPath checks that a path is either refused or leads to a value that is in the event as it stands.
func FuzzPath(f *testing.F) {
	for _, path := range []string{`data.items.0.sku`, `data.a\.b`, `raw`, `data..`, `\`, `data.\\`, `timestamp.x`, `data.-1`} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		entry, err := json.Marshal(path)
		if err != nil {
			t.Fatal(err)
		}
		trigger, err := rules.Compile(schemas.Trigger{
			Status:  schemas.TriggerActive,
			Mapping: schemas.Mapping{Data: map[string]json.RawMessage{"out": entry}},
		})
		if err != nil {
			return
		}
		var request struct{ Data struct{ Out json.RawMessage } }
		result := trigger.Evaluate(commentEvent())
		if err := json.Unmarshal(result.Request, &request); err != nil {
			t.Fatalf("%q: %s %s: %v", path, result.Outcome, result.Reason, err)
		}
		if strings.HasPrefix(path, "data.") && string(request.Data.Out) != "null" && len(request.Data.Out) < 20 &&
			!strings.Contains(comment, string(request.Data.Out)) {
			t.Fatalf("%q: got %s, which the event does not hold", path, request.Data.Out)
		}
	})
}

// FuzzExpression compiles whatever comes and runs it where it compiles: neither may panic or take long.
func FuzzExpression(f *testing.F) {
	for _, source := range []string{
		`data.total > 100 && data.currency == "EUR"`, `any(data.items, .price > 1)`, `let x = data; x.y[0]?.z ?? 1`,
		`{a: 1, (data.plan): [1..3]}`, `if a { b } else { c }`, `data.text[1:2] matches "a+"`, `timestamp.Format("2006")`,
		`sum(data.items, .price * .quantity)`, `map(1..3, {#index})`, `1 < 2 < 3`, `data | len()`, "`raw`", `$env.data`, `#`,
		`concat()`, `concat().x`, `-(-1)`, `not true`, `a ?: b`, `::len(data)`, `max()`, `date()`, `first([])`, `{}.x.Hour()`,
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		entry, err := json.Marshal(map[string]string{"expr": source})
		if err != nil {
			t.Fatal(err)
		}
		trigger, err := rules.Compile(schemas.Trigger{
			Status:    schemas.TriggerActive,
			Condition: source,
			Mapping:   schemas.Mapping{Data: map[string]json.RawMessage{"out": entry}},
		})
		if err != nil {
			return
		}
		first, second := trigger.Evaluate(commentEvent()), trigger.Evaluate(commentEvent())
		if first.Outcome != second.Outcome || first.Reason != second.Reason || string(first.Request) != string(second.Request) {
			t.Fatalf("%q: got %+v, then %+v", source, first, second)
		}
	})
}

// FuzzBody evaluates whatever body comes.
func FuzzBody(f *testing.F) {
	for _, body := range []string{comment, `{}`, `[]`, `{"properties":{"items":[{"price":1e999}]}}`, `{"a":`, `"\ud800"`} {
		f.Add(body)
	}
	trigger := compiled(f, schemas.Trigger{
		Condition: `!any(data.items, .price < 0) && data == raw.properties`,
		Mapping:   schemas.Mapping{Recipients: json.RawMessage(`"raw.userId"`)},
	})
	f.Fuzz(func(t *testing.T, body string) {
		result := trigger.Evaluate(eventOf(body))
		if result.Outcome == schemas.Matched && !json.Valid(result.Request) {
			t.Fatalf("%q: not JSON: %s", body, result.Request)
		}
	})
}
