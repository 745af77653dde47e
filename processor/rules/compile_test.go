package rules_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

func TestCompileRefusesCondition(t *testing.T) {
	f := func(condition string, line, column int, want string) {
		t.Helper()
		_, err := rules.Compile(withCondition(condition))
		var refused *rules.CompileError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want a CompileError", condition, err)
			return
		}
		if refused.Field != "condition" || refused.Line != line || refused.Column != column || !strings.Contains(refused.Message, want) {
			t.Errorf("%s:\n got %+v\nwant %d:%d %s", condition, *refused, line, column, want)
		}
	}
	const roots = "Known are data, event, user_id, anonymous_id, message_id, timestamp, received_at, context, source, environment, raw"
	f(`dta.total > 1`, 1, 1, `unknown name "dta", did you mean "data"? `+roots)
	f("true &&\n  zzz == 1", 2, 3, `unknown name "zzz". `+roots)
	f(`(let x = 1; x == 1) && x == 2`, 1, 24, `unknown name "x"`)
	f(`$env == nil`, 1, 1, `unknown name "$env"`)
	f(`len == 1`, 1, 1, `unknown name "len"`)
	f(`data.total >`, 1, 12, `unexpected token EOF`)
	f(`data.total = 1`, 1, 12, `unexpected token`)
	f(`1 + 2`, 1, 3, `the condition must be true or false; it is a number`)
	f(`"yes"`, 1, 1, `the condition must be true or false; it is a string`)
	f(`[true]`, 1, 1, `the condition must be true or false; it is a list`)
	f(`"a" - 1 == 2`, 1, 5, `invalid operation: - (mismatched types string and int)`)
	f(`len() == 2`, 1, 1, `not enough arguments to call len`)
	f(`upper(1) == "A"`, 1, 7, `cannot use int as argument (type string) to call upper`)
	f(`uper(event) == "A"`, 1, 1, `unknown function "uper", did you mean "upper"?`)
	f(`timestamp.Yeah() == 1`, 1, 11, `unknown method "Yeah", did you mean "Year"?`)
	f(`timestamp.In(1) == 1`, 1, 11, `unknown method "In"`)
	f(`let data = 1; data == 1`, 1, 5, `"data" has a meaning already`)
	f(`let $env = 1; true`, 1, 5, `"$env" has a meaning already`)
	f(`1 < data.total < 10`, 1, 10, `write a < b && b < c instead`)
	f(`data.paid ?: true`, 1, 6, `instead of a ?: b`)
	f(`b"x" == "x"`, 1, 1, `byte strings are not supported`)
	f(`#acc == 1`, 1, 1, `unexpected token`)
	f(`any(data.tags, #acc == 1)`, 1, 16, `unknown pointer #acc`)
	f(`data.text matches data.plan`, 1, 24, `the regular expression must be a literal`)
	f(`data.text matches "("`, 1, 19, `missing closing )`)
}

func TestCompileRefusesMapping(t *testing.T) {
	f := func(mapping, field string, column int, want string) {
		t.Helper()
		var m schemas.Mapping
		if err := json.Unmarshal([]byte(mapping), &m); err != nil {
			t.Fatal(err)
		}
		_, err := rules.Compile(schemas.Trigger{Mapping: m})
		var refused *rules.CompileError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want a CompileError", mapping, err)
			return
		}
		if refused.Field != field || refused.Column != column || !strings.Contains(refused.Message, want) {
			t.Errorf("%s:\n got %+v\nwant %s at %d: %s", mapping, *refused, field, column, want)
		}
	}
	const shape = `give a path such as "data.total", {"expr": "..."} or {"value": ...}`
	f(`{"recipients": 7}`, "mapping.recipients", 0, shape)
	f(`{"recipients": ["user-1"]}`, "mapping.recipients", 0, shape)
	f(`{"actor": {}}`, "mapping.actor", 0, shape)
	f(`{"actor": {"expr": "1", "value": 2}}`, "mapping.actor", 0, shape)
	f(`{"actor": {"exp": "1"}}`, "mapping.actor", 0, shape)
	f(`{"tenant": {"expr": 7}}`, "mapping.tenant", 0, shape)
	f(`{"data": {"total": null}}`, "mapping.data.total", 0, shape)
	f(`{"data": {"total": "data.total +"}, "actor": "user"}`, "mapping.actor", 1, `unknown name "user"`)
	f(`{"data": {"total": "dta.total"}}`, "mapping.data.total", 1, `unknown name "dta", did you mean "data"?`)
	f(`{"data": {"total": {"expr": "1 +"}}}`, "mapping.data.total", 3, `unexpected token EOF`)
	f(`{"recipients": ""}`, "mapping.recipients", 0, `the path is empty`)
	f(`{"recipients": "data..x"}`, "mapping.recipients", 6, `a name is missing before this dot`)
	f(`{"recipients": ".data"}`, "mapping.recipients", 1, `a name is missing before this dot`)
	f(`{"recipients": "data."}`, "mapping.recipients", 6, `the path ends where a name should follow`)
	f(`{"recipients": "data.x\\"}`, "mapping.recipients", 8, `the path ends where a name should follow`)
	f(`{"recipients": "data.\\x"}`, "mapping.recipients", 7, `a backslash stands only before a dot or a backslash`)
	f(`{"recipients": {"value": []}}`, "mapping.recipients", 0, `the value is empty; a run needs at least one recipient`)
	f(`{"recipients": {"value": {"id": 7}}}`, "mapping.recipients", 0, `the value must have an id that is a string; its id is a number`)
	f(`{"recipients": {"value": null}}`, "mapping.recipients", 0, `the value is missing; a run needs at least one recipient`)
	f(`{"tenant": {"value": 7}}`, "mapping.tenant", 0, `the value must be a string or an object with an id; it is a number`)
	f(`{"cancellation_key": {"value": true}}`, "mapping.cancellation_key", 0, `must be a string or a number; it is a boolean`)
	f(`{"recipients": "data`+strings.Repeat(".a", 70)+`"}`, "mapping.recipients", 0, `the path has 71 steps`)
}

func TestCompileReportsEveryField(t *testing.T) {
	_, err := rules.Compile(schemas.Trigger{
		Condition: `dta.x == 1`,
		Mapping: schemas.Mapping{
			Recipients: json.RawMessage(`7`), Actor: json.RawMessage(`"user_id"`), Tenant: json.RawMessage(`"nobody"`),
			Data: map[string]json.RawMessage{"b": json.RawMessage(`{"expr":"("}`), "a": json.RawMessage(`""`), "c": json.RawMessage(`"data.c"`)},
		},
	})
	var fields []string
	for line := range strings.Lines(err.Error()) {
		field, _, _ := strings.Cut(line, ": ")
		fields = append(fields, field)
	}
	want := "condition mapping.recipients mapping.tenant mapping.data.a mapping.data.b"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("got faults in %s, want %s", got, want)
	}
}

func TestCompileErrorSaysWhere(t *testing.T) {
	_, err := rules.Compile(withCondition("true and\n  dta == 1"))
	if want := `condition: unknown name "dta", did you mean "data"?`; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want it to begin with %q", err, want)
	}
	if want := `(line 2, column 3)`; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %q, want it to end with %q", err, want)
	}
}
