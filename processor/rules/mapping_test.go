package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// evaluate maps the event of a body by a mapping in JSON.
func evaluate(t *testing.T, mapping, body string) rules.Result {
	t.Helper()
	var m schemas.Mapping
	if err := json.Unmarshal([]byte(mapping), &m); err != nil {
		t.Fatal(err)
	}
	return compiled(t, schemas.Trigger{Mapping: m}).Evaluate(eventOf(body))
}

func TestMappingMakesRequest(t *testing.T) {
	f := func(mapping, want, wantKey string) {
		t.Helper()
		got := evaluate(t, mapping, comment)
		if string(got.Request) != want || got.RecipientKey != wantKey {
			t.Errorf("%s:\n got %s, %s (%s)\nwant %s, %s", mapping, got.Request, got.RecipientKey, got.Reason, want, wantKey)
		}
	}
	recipients := func(mapping, want, wantKey string) {
		t.Helper()
		f(`{"recipients":`+mapping+`,"data":{"n":{"value":1}}}`, `{"recipients":`+want+`,"data":{"n":1}}`, wantKey)
	}
	recipients(`null`, `["user-1"]`, "user-1")
	recipients(`"userId"`, `["user-1"]`, "user-1")
	recipients(`"data.owner"`, `[{"id":"user-7","name":"Ada","$trigger_data":{"x":1}}]`, "user-7")
	recipients(`"data.watchers"`, `[{"id":"user-8"},"user-9"]`, "user-8")
	recipients(`"data.watchers.1"`, `["user-9"]`, "user-9")
	recipients(`"data.nested.0"`, `["user-1"]`, "user-1")
	recipients(`{"expr":"map(data.items, \"sku-\" + .sku)"}`, `["sku-A","sku-B","sku-C"]`, "sku-A")
	recipients(`{"expr":"filter(concat(data.watchers, [data.owner, user_id]), # != user_id)"}`,
		`[{"id":"user-8"},"user-9",{"id":"user-7","name":"Ada","$trigger_data":{"x":1}}]`, "user-8")
	recipients(`{"value":[{"id":"ops", "collection":"teams"}]}`, `[{"id":"ops","collection":"teams"}]`, "ops")

	data := func(entry, want string) {
		t.Helper()
		f(`{"data":{"out":`+entry+`}}`, `{"recipients":["user-1"],"data":{"out":`+want+`}}`, "user-1")
	}
	// A path copies the text: numbers keep their digits, strings their escapes.
	data(`"data.big"`, `12345678901234567890`)
	data(`"data.exact"`, `1.10`)
	data(`"data.exp"`, `1e3`)
	data(`"data.text"`, `"Grüße <b>&\u0041"`)
	data(`"data.items.0.sku"`, `"A"`)
	data(`"data.items.0"`, `{"sku":"A","price":2.5,"quantity":2}`)
	data(`"data.items.9.sku"`, `null`)
	data(`"data.items.00"`, `null`)
	data(`"data.items.-1"`, `null`)
	data(`"data.items.sku"`, `null`)
	data(`"data.total.x"`, `null`)
	data(`"data.missing.x.y"`, `null`)
	data(`"data.nothing"`, `null`)
	data(`"data.a\\.b"`, `"dotted"`)
	data(`"data.back\\\\slash"`, `1`)
	data(`"data.0"`, `"zero"`)
	data(`"context"`, `{"ip":"203.0.113.1"}`)
	data(`"raw.properties.tags"`, `["x","y"]`)
	data(`"event"`, `"Comment Created"`)
	data(`"source"`, `"webshop"`)
	data(`"environment"`, `"production"`)
	data(`"message_id"`, `"m-1"`)
	data(`"anonymous_id"`, `null`)
	data(`"timestamp"`, `"2026-11-20T08:30:00.250Z"`)
	data(`"received_at"`, `"2026-11-20T08:30:01.000Z"`)
	data(`{"value":{"b": [1.10, null], "a":"x"}}`, `{"b":[1.10,null],"a":"x"}`)
	// So does an expression that hands on an object or a list; what it computes is written anew, members in order.
	data(`{"expr":"data.items[:1]"}`, `[{"sku":"A","price":2.5,"quantity":2}]`)
	data(`{"expr":"{b: data.total * 2, a: [data.count, nil, true], (data.plan): timestamp}"}`,
		`{"a":[3,null,true],"b":259.8,"pro":"2026-11-20T08:30:00.250Z"}`)
	data(`{"expr":"received_at - timestamp"}`, `"750ms"`)
	data(`{"expr":"data.missing.x"}`, `null`)
	data(`{"expr":"timestamp"}`, `"2026-11-20T08:30:00.250Z"`)

	f(`{"actor":"data.owner","tenant":"data.plan","cancellation_key":"message_id","data":{"b":"data.count","a":"data.paid"}}`,
		`{"recipients":["user-1"],"actor":{"id":"user-7","name":"Ada","$trigger_data":{"x":1}},"data":{"a":true,"b":3},"tenant":"pro","cancellation_key":"m-1"}`, "user-1")
	// An optional input that is missing, null or empty is left out; a number serves as a key by its text.
	f(`{"actor":"data.missing","tenant":"data.nothing","cancellation_key":"data.empty","data":{"n":{"value":1}}}`,
		`{"recipients":["user-1"],"data":{"n":1}}`, "user-1")
	f(`{"actor":"data.empty","cancellation_key":"data.exact","data":{"n":{"value":1}}}`,
		`{"recipients":["user-1"],"data":{"n":1},"cancellation_key":"1.10"}`, "user-1")
}

func TestMappingDefaultsToUserAndAllProperties(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if got := evaluate(t, `{}`, body); string(got.Request) != want {
			t.Errorf("%s:\n got %s (%s)\nwant %s", body, got.Request, got.Reason, want)
		}
	}
	f(`{"userId":"u","properties": {"b" : 1.0, "a": [ ] }}`, `{"recipients":["u"],"data":{"b":1.0,"a":[]}}`)
	f(`{"userId":"u","properties":{}}`, `{"recipients":["u"],"data":{}}`)
	f(`{"userId":"u","properties":null}`, `{"recipients":["u"]}`)
	f(`{"userId":"u"}`, `{"recipients":["u"]}`)
	f(`{"userId":"\u00e4\"","properties":{"a":1,"a":2}}`, `{"recipients":["\u00e4\""],"data":{"a":1,"a":2}}`)
}

func TestMappingFails(t *testing.T) {
	f := func(mapping, want string) {
		t.Helper()
		got := evaluate(t, mapping, comment)
		if got.Outcome != schemas.MappingError || got.Reason != want || got.Request != nil {
			t.Errorf("%s:\n got %s %q\nwant mapping_error %q", mapping, got.Outcome, got.Reason, want)
		}
	}
	f(`{"recipients":"data.none"}`, `recipients: data.none is empty; a run needs at least one recipient`)
	f(`{"recipients":"data.missing"}`, `recipients: data.missing is missing; a run needs at least one recipient`)
	f(`{"recipients":"data.nothing"}`, `recipients: data.nothing is missing; a run needs at least one recipient`)
	f(`{"recipients":"data.empty"}`, `recipients: data.empty is empty; a run needs at least one recipient`)
	f(`{"recipients":"data.total"}`, `recipients: data.total must be a string or an object with an id; it is a number`)
	f(`{"recipients":"data.items"}`, `recipients: item 0 of data.items must have an id that is a string; its id is missing`)
	f(`{"recipients":"data.nested"}`, `recipients: item 0 of data.nested must be a string or an object with an id; it is a list`)
	f(`{"recipients":{"expr":"[{id: 7}]"}}`, `recipients: item 0 of the expression must have an id that is a string; its id is a number`)
	f(`{"recipients":{"expr":"[user_id, {id: \"\"}]"}}`, `recipients: item 1 of the expression must have an id; its id is empty`)
	f(`{"recipients":{"expr":"[user_id, nil]"}}`, `recipients: item 1 of the expression must be a string or an object with an id; it is null`)
	f(`{"recipients":{"expr":"concat(map(1..600, string(#)), map(1..401, string(#)))"}}`,
		`recipients: the expression has 1001 recipients; a run takes at most 1000`)
	f(`{"recipients":{"expr":"data.plan + 1"}}`, `recipients: invalid operation: string + int (line 1, column 11)`)
	f(`{"actor":"data.tags"}`, `actor: data.tags must be a string or an object with an id; it is a list`)
	f(`{"tenant":"data.paid"}`, `tenant: data.paid must be a string or an object with an id; it is a boolean`)
	f(`{"cancellation_key":"data.owner"}`, `cancellation_key: data.owner must be a string or a number; it is an object`)
	f(`{"data":{"x":{"expr":"data.plan - 1"}}}`, `data.x: invalid operation: string - int (line 1, column 11)`)
	f(`{"data":{"x":{"expr":"1 / 0"}}}`, `data.x: writing the result: json: unsupported value: +Inf`)
}

func TestThousandRecipientsAreAccepted(t *testing.T) {
	list := make([]string, 1000)
	for i := range list {
		list[i] = fmt.Sprintf(`{"id":"user-%d","name":"N","email":"e"}`, i)
	}
	body := `{"properties":{"members":[` + strings.Join(list, ",") + `]}}`
	f := func(recipients string) {
		t.Helper()
		got := evaluate(t, `{"recipients":`+recipients+`,"data":{"n":"data.n"}}`, body)
		var request schemas.RunRequest
		if err := json.Unmarshal(got.Request, &request); err != nil || len(request.Recipients) != 1000 {
			t.Errorf("%s: got %d recipients, %v, %s", recipients, len(request.Recipients), err, got.Reason)
		}
	}
	f(`"data.members"`)
	f(`{"expr":"map(data.members, .id)"}`)
	f(`{"expr":"filter(map(data.members, ({id: .id, name: .name, email: .email})), .id != user_id)"}`)
}

func TestRequestIsBounded(t *testing.T) {
	body := `{"userId":"u","properties":{"text":"` + strings.Repeat("x", 400<<10) + `"}}`
	got := evaluate(t, `{"data":{"a":"data.text","b":"data.text"}}`, body)
	if got.Outcome != schemas.MappingError || !strings.Contains(got.Reason, "data.b: the run's request has more than 786432 bytes") {
		t.Errorf("got %s %q", got.Outcome, got.Reason)
	}
	if got := evaluate(t, `{"data":{"a":"data.text"}}`, body); got.Outcome != schemas.Matched {
		t.Errorf("got %s %q, want matched", got.Outcome, got.Reason)
	}
}

func TestRequestIsARunRequest(t *testing.T) {
	got := evaluate(t, `{"actor":"data.owner","tenant":"data.plan","cancellation_key":"message_id"}`, comment)
	var request schemas.RunRequest
	decoder := json.NewDecoder(strings.NewReader(string(got.Request)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		t.Fatal(err)
	}
	// Encoding the run must not change the request's bytes.
	record, err := schemas.Encode(schemas.Run{Schema: schemas.Version, Request: got.Request})
	if err != nil {
		t.Fatal(err)
	}
	run, err := schemas.Decode[schemas.Run](record)
	if err != nil || string(run.Request) != string(got.Request) {
		t.Errorf("the run holds %s, %v; want %s", run.Request, err, got.Request)
	}
}
