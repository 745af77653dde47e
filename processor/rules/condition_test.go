package rules_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

func TestConditionAnswers(t *testing.T) {
	f := func(condition string, want bool) {
		t.Helper()
		result := compiled(t, withCondition(condition)).Evaluate(commentEvent())
		switch {
		case want && result.Outcome != schemas.Matched, !want && result.Outcome != schemas.ConditionFalse:
			t.Errorf("%s: got %s (%s), want %t", condition, result.Outcome, result.Reason, want)
		}
	}
	// Roots.
	f(``, true)
	f(`data.total > 100 && data.total < 130`, true)
	f(`properties.total == 129.9 && userId == user_id`, true)
	f(`event == "Comment Created" && user_id == "user-1" && message_id == "m-1"`, true)
	f(`environment == "production" && source == "webshop" && context.ip startsWith "203."`, true)
	f(`raw.properties.count == 3 and raw.type == "track"`, true)
	f(`anonymous_id == nil`, true)
	// Times.
	f(`timestamp < received_at && received_at - timestamp == duration("750ms")`, true)
	f(`timestamp.Hour() == 8 && timestamp.Weekday() == 5 && timestamp.Month() == 11`, true)
	f(`(received_at - timestamp).Milliseconds() == 750`, true)
	f(`date(data.due) > timestamp + duration("240h")`, true)
	f(`date(data.due) - timestamp > duration("720h")`, false)
	f(`timestamp.Format("2006-01-02") == "2026-11-20"`, true)
	// What is missing is nil, false in a comparison, an empty list in a loop.
	f(`data.a.b.c == nil && data.total.x == nil && data.items[7].sku == nil && data["a"][0] == nil`, true)
	f(`data.missing > 100`, false)
	f(`data.missing < 100`, false)
	f(`100 >= data.nothing`, false)
	f(`not (data.missing > 100)`, true)
	f(`data.missing`, false)
	f(`!data.missing && !(data.missing && true)`, true)
	f(`data.missing ? false : true`, true)
	f(`data.missing + 1 == nil && -data.missing == nil && data.missing * data.total == nil`, true)
	f(`any(data.missing, # == 1) || len(data.missing) > 0 || "x" in data.missing`, false)
	f(`data.missing contains "x" || data.missing matches "x" || hasPrefix(data.missing, "x")`, false)
	f(`all(data.missing, false) && sum(data.missing) == 0 && count(data.missing) == 0`, true)
	f(`upper(data.missing) == nil && date(data.missing) == nil && data.missing[1:] == nil`, true)
	f(`data.missing.Hour() == nil && (data.missing ?? "x") == "x" && data?.missing?.x == nil`, true)
	// Operators and functions.
	f(`data.plan in ["pro", "team"] && data.count in [1, 2, 3] && "plan" in data && "x" in data.tags`, true)
	f(`data.plan not in ["free"] && not ("z" in data.tags)`, true)
	f(`data.text contains "<b>&A" && data.text matches "^Gr.+A$" && data.text endsWith "A"`, true)
	f(`data["a.b"] == "dotted" && data.tags[-1] == "y" && data.tags[0] == "x"`, true)
	f(`data.owner == {id: "user-7", name: "Ada", "$trigger_data": {x: 1}}`, true)
	f(`data.numbers == [3.0, 1, 2] && {a: [{b: 1}]} == {a: [{b: 1.0}]} && {a: nil} != {b: nil} && data.exp == 1000 && data.count == 3.0`, true)
	f(`data.tags == ["x", "y"] && data.tags != ["x"] && data.owner != data.items`, true)
	f(`any(data.items, .price > 5) && one(data.items, .sku == "B") && none(data.items, .sku == "Z")`, true)
	f(`all(data.items, .quantity > 0)`, false)
	f(`sum(data.items, .price * .quantity) == 15 && count(data.items, .quantity > 0) == 2`, true)
	f(`sum(data.numbers) == 6 && max(data.numbers) == 3 && min(4, 5) == 4 && mean(data.numbers) == 2`, true)
	f(`map(filter(data.items, .price != nil), .sku) == ["A", "B"] && len(data.items) == 3`, true)
	f(`find(data.items, .sku == "B").price == 10 && findIndex(data.items, .sku == "C") == 2`, true)
	f(`map(data.tags, #index) == [0, 1] && (1..3) == [1, 2, 3] && 2 in 1..3`, true)
	f(`first(data.tags) == "x" && last(data.tags) == "y" && first(data.none) == nil`, true)
	f(`concat(data.tags, ["z"], data.missing) == ["x", "y", "z"] && flatten([1, [2, [3]]]) == [1, 2, 3]`, true)
	f(`let total = data.total * 2; total > 200 && total < 300`, true)
	f(`if data.paid { data.count == 3 } else { false }`, true)
	f(`data.tags | any(# == "x")`, true)
	f(`string(data.count) + "/" + data.plan == "3/pro" && int("7") == 7 && float("1.5") == 1.5`, true)
	f(`upper(data.plan) == "PRO" && trim(" x ") == "x" && data.text[:5] == "Grüße" && len(data.text) == 11`, true)
	f(`round(2.5) == 3 && abs(-2) == 2 && 7 % 4 == 3 && 2 ** 3 == 8 && 7 / 2 == 3.5`, true)
	f(`type(data.owner) == "map" && type(data.tags) == "array" && type(data.total) == "float"`, true)
	f(`data.big > 1.2e19 && data.exp == 1000`, true)
	f(`type(data.tags) == "array" && type(data.paid) == "bool" && type(data.count) == "int" && type(data.plan) == "string"`, true)
	f(`type(timestamp) == "time" && type(duration("1s")) == "duration" && type(data.x) == "nil" && type({}) == "map" && type([]) == "array"`, true)
	f(`string(true) == "true" && string(1.50) == "1.5" && string(date(data.due)) == "2026-12-01T00:00:00.000Z" && string(duration("90m")) == "1h30m0s"`, true)
	f(`int(2.9) == 2 && int(3) == 3 && date(date(data.due)) == date(data.due) && +data.count == 3 && -data.count == -3`, true)
	f(`timestamp.Year() == 2026 && timestamp.Day() == 20 && timestamp.YearDay() == 324 && timestamp.Minute() == 30 && timestamp.Second() == 0`, true)
	f(`timestamp.Unix() == 1795163400 && timestamp.UnixMilli() == 1795163400250 && duration("90m").Hours() == 1.5 && duration("90s").Minutes() == 1.5 && duration("90s").Seconds() == 90`, true)
	f(`{a: 1}.a == 1 && {a: 1}["b"] == nil && [1, 2][-1] == 2 && data.tags[-5:1] == ["x"] && data.tags[1:-5] == [] && (3..1) == []`, true)
	f(`len({a: 1}) == 1 && len(data.owner) == 3 && len("Grüße") == 5 && len([1]) == 1 && "a" in {a: 1} && flatten(data.nested) == ["user-1"]`, true)
	f(`1 == 1 ? 2 > 1 : false; true`, true)
}

func TestConditionFails(t *testing.T) {
	f := func(condition, want string) {
		t.Helper()
		result := compiled(t, withCondition(condition)).Evaluate(commentEvent())
		if result.Outcome != schemas.ConditionError || result.Reason != "condition: "+want {
			t.Errorf("%s:\n got %s %q\nwant condition_error %q", condition, result.Outcome, result.Reason, "condition: "+want)
		}
	}
	f(`data.total`, `true or false is needed, got a number`)
	f(`data.total && true`, `true or false is needed, got a number (line 1, column 1)`)
	f(`data.plan > 100`, `invalid operation: string > int (line 1, column 11)`)
	f("true &&\n  data.owner > 1", `> does not work on an object and a number (line 2, column 14)`)
	f(`data.plan + data.tags == nil`, `+ does not work on a string and a list (line 1, column 11)`)
	f(`any(data.plan, # == "p")`, `a list is needed here, got a string (line 1, column 10)`)
	f(`"x" in data.plan`, `in looks into a list or an object, got a string; use contains for text (line 1, column 5)`)
	f(`data.tags contains "x"`, `contains works on strings, got a list and a string; use in for lists (line 1, column 11)`)
	f(`data.total matches "1"`, `matches wants a string, got a number (line 1, column 12)`)
	f(`data.total.Hour() == 3`, `Hour with 0 arguments cannot be called on a number (line 1, column 12)`)
	f(`date(data.plan) > timestamp`, `date wants ISO-8601 text such as "2026-01-31" or "2026-01-31T12:00:00Z" (line 1, column 1)`)
	f(`int(data.plan) > 1`, `int: this cannot be read as an integer (line 1, column 1)`)
	f(`string(data.owner) == ""`, `string does not work on an object (line 1, column 1)`)
	f(`duration(data.plan) > duration("1h")`, `duration wants text such as "36h" or "1h30m" (line 1, column 1)`)
	f(`timestamp.Format(1) == ""`, `the method Format wants one layout such as "2006-01-02" of at most 100 bytes (line 1, column 11)`)
	f(`sum(data.tags) == 1`, `sum wants numbers, got a string (line 1, column 1)`)
	f(`(data.plan..2) == [1]`, `a range goes from one integer to another, got a string and a number (line 1, column 11)`)
	f(`upper(data.count) == ""`, `a string is needed, got a number (line 1, column 1)`)
	f(`len(data.paid) == 1`, `a list is needed here, got a boolean (line 1, column 1)`)
	f(`timestamp > duration("1h")`, `invalid operation: time.Time > time.Duration (line 1, column 11)`)
	f(`-data.plan == 1`, `invalid operation: - string (line 1, column 1)`)
	f(`data.count % 0 == 1`, `runtime error: integer divide by zero (line 1, column 12)`)
}

func TestConditionOfAnInactiveTriggerIsNotEvaluated(t *testing.T) {
	trigger := withCondition(`data.total`) // would fail
	for _, status := range []schemas.TriggerStatus{schemas.TriggerInactive, ""} {
		trigger.Status = status
		c, err := rules.Compile(trigger)
		if err != nil {
			t.Fatal(err)
		}
		if result := c.Evaluate(commentEvent()); result.Outcome != schemas.Inactive {
			t.Errorf("status %q: got %+v, want inactive", status, result)
		}
	}
}

func TestBrokenBodyFailsOnlyTheTriggersThatReadIt(t *testing.T) {
	f := func(condition, body string, want schemas.Outcome) {
		t.Helper()
		trigger := compiled(t, withCondition(condition))
		event := eventOf(body)
		first, second := trigger.Evaluate(event), trigger.Evaluate(event)
		if first.Outcome != want || first.Outcome != second.Outcome || first.Reason != second.Reason {
			t.Errorf("%s on %s: got %+v, then %+v, want %s", condition, body, first, second, want)
		}
		if want != schemas.ConditionFalse && !strings.Contains(first.Reason, "the event's body cannot be read") {
			t.Errorf("%s on %s: reason %q", condition, body, first.Reason)
		}
	}
	for _, body := range []string{`{"properties":{"a":`, `[]`, `"text"`, ``, `{} {}`, `{"a":1,}`, "{\"a\":\"\xff\"}", `nul`} {
		f(`event == "Another"`, body, schemas.ConditionFalse)
		f(`data.a == 1`, body, schemas.ConditionError)
		f(``, body, schemas.MappingError)
	}
}

func TestWithoutTimestampTheEventHappenedWhenItWasReceived(t *testing.T) {
	for _, body := range []string{`{}`, `{"timestamp":null}`, `{"timestamp":"yesterday"}`, `{"timestamp":7}`} {
		trigger := compiled(t, schemas.Trigger{
			Condition: `timestamp == received_at`,
			Mapping:   schemas.Mapping{Recipients: encoded(t, "event"), Data: map[string]json.RawMessage{"at": encoded(t, "timestamp")}},
		})
		want := `{"recipients":["Comment Created"],"data":{"at":"2026-11-20T08:30:01.000Z"}}`
		if got := trigger.Evaluate(eventOf(body)); string(got.Request) != want {
			t.Errorf("%s: got %s %s, want %s", body, got.Request, got.Reason, want)
		}
	}
}

func TestGoroutinesShareATrigger(t *testing.T) {
	trigger := compiled(t, schemas.Trigger{Condition: `any(data.items, .price > 5) && data.text matches "A$"`})
	want := string(trigger.Evaluate(commentEvent()).Request)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if got := string(trigger.Evaluate(commentEvent()).Request); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
}
