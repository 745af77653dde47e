package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

func shapeOf(bodies ...string) *rules.Shape {
	var shape rules.Shape
	for _, body := range bodies {
		shape.Add(eventOf(body))
	}
	return &shape
}

func TestShapeListsEveryPathWithItsTypesAndTheLatestExample(t *testing.T) {
	shape := shapeOf(
		`{"type":"track","event":"E","userId":"u-2","anonymousId":null,"properties":{"total":12.50,"a.b":{"c\\d":true},"items":[{"sku":"A"},{"sku":7,"n":null}],"":1},"sentAt":"now"}`,
		`{"type":"track","event":"E","userId":"u-1","properties":{"total":"9","tags":[["x"],[]],"long":"`+strings.Repeat("ü", 300)+`"},"context":{"page":{"url":"/a"}},"messageId":"m","timestamp":"2026-01-01"}`,
		`{"type":"track","event":"E","properties":null}`,
		`no JSON`,
	)
	got := map[string]string{}
	var order []string
	for _, p := range shape.Properties() {
		types, _ := json.Marshal(p.Types)
		got[p.Path] = fmt.Sprintf("%d %s %s", p.Events, types, p.Example)
		order = append(order, p.Path)
	}
	want := map[string]string{
		`data`: `2 {"object":2} `, `data.total`: `2 {"number":1,"string":1} 12.50`, `data.a\.b`: `1 {"object":1} `, `data.a\.b.c\\d`: `1 {"boolean":1} true`,
		`data.items`: `1 {"array":1} `, `data.items.0`: `1 {"object":2} `, `data.items.0.sku`: `1 {"number":1,"string":1} "A"`, `data.items.0.n`: `1 {"null":1} `,
		`data.tags`: `1 {"array":1} `, `data.tags.0`: `1 {"array":2} `, `data.tags.0.0`: `1 {"string":1} "x"`,
		`data.long`: `1 {"string":1} "` + strings.Repeat("ü", 50) + `…"`,
		`user_id`:   `2 {"string":2} "u-2"`, `anonymous_id`: `1 {"null":1} `, `message_id`: `1 {"string":1} "m"`, `timestamp`: `1 {"string":1} "2026-01-01"`,
		`context`: `1 {"object":1} `, `context.page`: `1 {"object":1} `, `context.page.url`: `1 {"string":1} "/a"`, `raw.sentAt`: `1 {"string":1} "now"`,
	}
	for path, expected := range want {
		if got[path] != expected {
			t.Errorf("%s: got %s, want %s", path, got[path], expected)
		}
	}
	if len(got) != len(want) || shape.Events() != 4 || shape.IsCut() || order[0] != "data" || order[len(order)-1] != "raw.sentAt" {
		t.Errorf("got %d paths in the order %v, of %d events", len(got), order, shape.Events())
	}
}

// Whatever events look like, each path that is listed compiles, is known to Missing, and reads something where its
// lists have one element.
func TestEveryPathOfAShapeCanBeMapped(t *testing.T) {
	for _, sample := range samples(t) {
		var shape rules.Shape
		shape.Add(sample.event())
		mapping := schemas.Mapping{Recipients: json.RawMessage(`{"value":"u"}`), Data: map[string]json.RawMessage{}}
		for _, p := range shape.Properties() {
			mapping.Data[p.Path] = encoded(t, p.Path)
		}
		trigger := schemas.Trigger{Mapping: mapping}
		if missing := shape.Missing(rules.References(trigger)); len(missing) != 0 {
			t.Fatalf("%s: %+v", sample.body, missing)
		}
		var request schemas.RunRequest
		if err := json.Unmarshal(compiled(t, trigger).Evaluate(sample.event()).Request, &request); err != nil {
			t.Fatal(err)
		}
		var data map[string]json.RawMessage
		if err := json.Unmarshal(request.Data, &data); err != nil {
			t.Fatal(err)
		}
		for _, p := range shape.Properties() {
			if p.Example != nil && p.Types["null"] == 0 && !strings.Contains(p.Path, ".0") && string(data[p.Path]) == "null" {
				t.Errorf("%s reads nothing, but is listed with %s", p.Path, p.Example)
			}
		}
	}
}

func TestShapeIsBounded(t *testing.T) {
	var members, elements []string
	for i := range 10_000 {
		members = append(members, fmt.Sprintf(`"id-%d":%d`, i, i))
		elements = append(elements, `{"x":[1,2,3]}`)
	}
	shape := shapeOf(`{"properties":{"wide":{` + strings.Join(members, ",") + `},"last":1}}`)
	if n := len(shape.Properties()); n > 2_001 || !shape.IsCut() {
		t.Errorf("%d paths, cut: %v", n, shape.IsCut())
	}
	// What was not taken up is not said to be missing.
	if missing := shape.Missing(rules.References(withCondition(`data.last == 1 && data.wide["id-9999"] == 1`))); len(missing) != 0 {
		t.Errorf("got %+v", missing)
	}
	shape = shapeOf(`{"properties":{"list":[`+strings.Join(elements, ",")+`]},"userId":"u"}`, `{"userId":"u"}`)
	if missing := shape.Missing(rules.References(withCondition(`data.list[0].y == 1`))); len(missing) != 0 || !shape.IsCut() {
		t.Errorf("got %+v", missing)
	}
}

func TestMissingPathsComeWithASuggestion(t *testing.T) {
	events := []string{
		`{"userId":"u","properties":{"total":1,"recipient_id":"u-7","owner":{"email":"a@b.c","name":"A"},"items":[{"sku":"A","price":1}],"flag":null},"context":{"ip":"::1"}}`,
		`{"userId":"u","properties":{"total":1,"coupon":"X"},"sentAt":"now"}`,
	}
	f := func(condition string, want ...string) {
		t.Helper()
		var got []string
		for _, w := range shapeOf(events...).Missing(rules.References(withCondition(condition))) {
			got = append(got, fmt.Sprintf("%s %d:%d %s", w.Field, w.Line, w.Column, w.Message))
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s:\n got %q\nwant %q", condition, got, want)
		}
	}
	f(`data.total > 1 && data.coupon == "X" && data.flag && context.ip != nil && raw.sentAt != nil && raw.properties.total > 0`)
	f(`event == "E" && source == "s" && environment == "e" && received_at > timestamp && raw.type == "track" && data != nil && raw != nil`)
	f(`data.items[3].sku == "A" && any(data.items, .price > 1) && "total" in data`)
	f(`data.totl > 1`, `condition 1:1 data.totl is not in the last 2 events; did you mean data.total?`)
	f("true &&\n data.recipientId == nil", `condition 2:2 data.recipientId is not in the last 2 events; did you mean data.recipient_id?`)
	f(`data.ownr.emial == "x"`, `condition 1:1 data.ownr.emial is not in the last 2 events; did you mean data.owner.email?`)
	f(`data.items.sku == "A"`, `condition 1:1 data.items.sku is not in the last 2 events; did you mean data.items.0.sku?`)
	f(`any(data.items, .prise > 1)`, `condition 1:17 data.items.0.prise is not in the last 2 events; did you mean data.items.0.price?`)
	f(`data.email == "x"`, `condition 1:1 data.email is not in the last 2 events; did you mean data.owner.email?`)
	f(`raw.properties.totl == 1`, `condition 1:1 raw.properties.totl is not in the last 2 events; did you mean data.total?`)
	f(`message_id == "x"`, `condition 1:1 message_id is not in the last 2 events`)
	f(`data.shipping.country == "DE"`, `condition 1:1 data.shipping.country is not in the last 2 events`)

	warnings := shapeOf(`{"properties":{"user_id":"u"}}`).Missing(rules.References(schemas.Trigger{}))
	want := rules.Warning{Field: "mapping.recipients", Message: "user_id is not in the last event; did you mean data.user_id?", Suggestion: "data.user_id"}
	if len(warnings) != 1 || warnings[0] != want {
		t.Errorf("got %+v, want %+v", warnings, want)
	}
	if warnings := shapeOf().Missing(rules.References(withCondition(`data.totl > 1`))); len(warnings) != 0 {
		t.Errorf("without any event: %+v", warnings)
	}
}

func TestShapeAndReferencesSurviveAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"data", ".", "items", "[0]", "any(", ")", "#", "user_id", " && ", "let x = ", ";", "x", `"`, "{", "}", "?.", "-1", "\\", "é"})
		condition := strings.Join(rapid.SliceOfN(text, 0, 12).Draw(t, "condition"), "")
		shape := shapeOf(rapid.SampledFrom([]string{comment, `[]`, `{"properties":[1]}`, `{"properties":{"a":{"a":1},"a":2}}`, ``}).Draw(t, "body"))
		entry, _ := json.Marshal(condition)
		shape.Missing(rules.References(schemas.Trigger{Condition: condition, Mapping: schemas.Mapping{Actor: entry}}))
	})
}

func TestCompileErrorHasTheSuggestionOnItsOwn(t *testing.T) {
	f := func(trigger schemas.Trigger, want string) {
		t.Helper()
		_, err := rules.Compile(trigger)
		if refused := rules.CompileErrors(err); len(refused) != 1 || refused[0].Suggestion != want {
			t.Errorf("got %+v, want %q", refused, want)
		}
	}
	f(withCondition(`dta.total > 1`), "data")
	f(withCondition(`uper(event) == "A"`), "upper")
	f(withCondition(`zzz == 1`), "")
	f(withCondition(`data.total >`), "")
	f(schemas.Trigger{Mapping: schemas.Mapping{Tenant: json.RawMessage(`"contxt.ip"`)}}, "context")
}

func TestCompileErrorsListsEachFieldOnce(t *testing.T) {
	_, err := rules.Compile(schemas.Trigger{Condition: `dta.x == 1`, Mapping: schemas.Mapping{
		Recipients: json.RawMessage(`7`), Data: map[string]json.RawMessage{"b": json.RawMessage(`{"expr":"("}`), "a": json.RawMessage(`""`)},
	}})
	var fields []string
	for _, refused := range rules.CompileErrors(err) {
		fields = append(fields, refused.Field)
	}
	if got := strings.Join(fields, " "); got != "condition mapping.recipients mapping.data.a mapping.data.b" {
		t.Errorf("got %s", got)
	}
	if none := rules.CompileErrors(nil); none != nil {
		t.Errorf("got %v of nothing", none)
	}
}
