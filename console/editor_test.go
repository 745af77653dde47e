package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace/millrace/schemas"
)

// orderForm is a trigger as a browser posts it.
func orderForm(more ...string) url.Values {
	form := url.Values{
		"environment": {"production"}, "source_id": {shopID}, "event": {"Order Completed"}, "workflow": {"order-confirmation"}, "status": {"active"},
		"name": {" big-order "}, "description": {""}, "condition": {"data.total > 100 &&\r\n data.currency == \"EUR\""}, "data": {"all"}, "revision": {"4"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	return form
}

// row is a row of data as a browser posts it.
func row(key, kind, value string) []string {
	return []string{"data.key", key, "data.kind", kind, "data.value", value, "data.was", ""}
}

func TestTriggerIsCreated(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	form := orderForm(row("cents", "expression", "data.total * 100")...)
	for _, more := range [][]string{row("", "path", ""), row("template", "literal", "welcome"), row("version", "literal", "2"), row("order", "path", "data.order_id")} {
		for i := 0; i+1 < len(more); i += 2 {
			form.Add(more[i], more[i+1])
		}
	}
	form.Set("data", "chosen")
	form.Set("mapping.recipients.kind", "literal")
	form.Set("mapping.recipients.value", `["ada", {"id": "grace"}]`)
	answered := v.post("/triggers", form, http.StatusSeeOther)
	if to := answered.header.Get("Location"); to != "/triggers/"+editedID+"?done=trigger-created" {
		t.Error(to)
	}
	body, _ := fake.sent("POST", "/triggers")
	want := map[string]any{
		"environment": "production", "source_id": shopID, "event": "Order Completed", "workflow": "order-confirmation", "status": "active", "name": "big-order",
		"description": "", "condition": "data.total > 100 &&\n data.currency == \"EUR\"", "mapping": map[string]any{
			"recipients": map[string]any{"value": []any{"ada", map[string]any{"id": "grace"}}}, "data": map[string]any{
				"cents": map[string]any{"expr": "data.total * 100"}, "template": map[string]any{"value": "welcome"}, "version": map[string]any{"value": 2.0}, "order": "data.order_id",
			},
		},
	}
	if !reflect.DeepEqual(body, want) {
		t.Errorf("%v, want %v", body, want)
	}
}

func TestTriggerIsSavedAtItsRevision(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	answered := v.post("/triggers/"+editedID, orderForm(), http.StatusSeeOther)
	if to := answered.header.Get("Location"); to != "/triggers/"+editedID+"?done=trigger-saved" {
		t.Error(to)
	}
	if body, revision := fake.sent("PATCH", "/triggers/"+editedID); revision != `"4"` || !reflect.DeepEqual(body["mapping"], map[string]any{}) {
		t.Error(body, revision)
	}
	v.get("/triggers/trg_none/edit", http.StatusNotFound).has(t, "There is no such thing here")
}

func TestNewTriggerIsFilledInByItsAddress(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	selected := []string{`<option value="` + shopID + `" selected>`, `<option value="production" selected>`, `value="Order Completed"`}
	v.get("/triggers/new?source=shop&environment=production&event=Order+Completed", http.StatusOK).has(t, selected...)
	loaded := v.get("/triggers/new?event_id="+eventID, http.StatusOK)
	loaded.has(t, selected...)
	loaded.has(t, `name="event_id" value="`+eventID+`"`, `data-id="`+eventID+`" open>`)
	if strings.Count(loaded.body, `data-id="`+eventID+`"`) != 1 {
		t.Error("the event that the trigger is made for stands among the recent ones, too")
	}
	if body, _ := fake.sent("POST", "/triggers/preview"); body["event_id"] != eventID || body["last"] != 20.0 {
		t.Error(body)
	}
	v.get("/triggers/new", http.StatusOK).has(t, "Choose the source of the events")
	fake.change(func() { fake.world = emptyShop() })
	v.get("/triggers/new?event=x", http.StatusOK).has(t, `<option value="`+shopID+`" selected>`, "Choose the environment of the events")
	v.get("/triggers/new?event=x&environment=production", http.StatusOK).has(t, "No such event has come yet", `href="/sources/`+shopID+`"`)
}

// TestFaultsOfATriggerStandAtTheirPlace has the API refuse several inputs at once.
func TestFaultsOfATriggerStandAtTheirPlace(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	problems := []any{
		map[string]any{"code": "invalid", "field": "workflow", "message": "workflow: give the key of a workflow"},
		map[string]any{"code": "invalid_expression", "field": "condition", "line": 2, "column": 2, "message": "condition: unknown name \"dat\", did you mean \"data\"? (line 2, column 2)"},
		map[string]any{"code": "invalid_expression", "field": "mapping.data.a.b", "line": 1, "column": 13, "message": "mapping.data.a.b: something is missing (line 1, column 13)"},
		map[string]any{"code": "invalid", "field": "brand_new", "message": "brand_new: this cannot be"},
	}
	fake.world.editor = func(method, path, _ string) (int, any) {
		if method == http.MethodPost && path == "/triggers" {
			return 422, map[string]any{"error": map[string]any{"code": "invalid", "message": "no", "problems": problems}}
		}
		return 0, nil
	}
	v := newConsole(t, fake.url)
	form := orderForm(row("", "path", "")...)
	for i, more := 0, row("a.b", "expression", "data.total *"); i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	form.Set("data", "chosen")
	form.Set("condition", "data.total > 1 &&\r\n dat.x == \"<b>\"")
	refused := v.post("/triggers", form, http.StatusUnprocessableEntity)
	refused.has(t, "It is not saved.", `<a href="#condition">Condition</a>: Unknown name &#34;dat&#34;, did you mean &#34;data&#34;?</li>`, `<a href="#workflow">Workflow</a>`,
		"Brand_new: this cannot be.", `<a href="#data-0">Data a.b</a>`, "<mark>dat</mark>.x == &#34;&lt;b&gt;&#34;</pre>", "Line 2, column 2", `data.total *<mark>`+"\u00a0"+`</mark>`,
		`aria-describedby="condition-slot condition-help" aria-invalid="true"`, `name="name" value="big-order"`)
	for _, slot := range []string{"workflow-slot", "condition-slot", "data-0-slot"} {
		refused.has(t, `id="`+slot+`"><div class="fault">`)
	}
}

func TestFormFindsWhatNoMappingCanSay(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(want string, rows ...[]string) {
		t.Helper()
		form := orderForm("mapping.tenant.kind", "literal", "mapping.tenant.value", "shop")
		form.Set("data", "chosen")
		for _, one := range rows {
			for i := 0; i+1 < len(one); i += 2 {
				form.Add(one[i], one[i+1])
			}
		}
		v.post("/triggers", form, http.StatusUnprocessableEntity).has(t, "It is not saved.", want)
	}
	f("Fill in a row, or take all properties.")
	f("Give it a key", row("", "path", "data.total"))
	f("Another row has this key.", row("a", "path", "data.total"), row("a", "literal", "1"))
	f("This begins like JSON, and is none", row("a", "literal", `{"id": "ada"`))
	f("This begins like JSON, and is none", row("a", "literal", `{"id": "ada", "id": "grace"}`))
	f("Write a value", row("a", "literal", ""))
	if len(fake.requests("POST", "/triggers")) > 0 {
		t.Error("what cannot be written down was sent")
	}
}

func TestWhoWasTooSlowSeesBothTriggers(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.world.edited.Revision, fake.world.edited.Workflow = 5, "theirs"
	fake.refuse["PATCH /triggers/"+editedID] = refusal{412, "stale", "If-Match", "revision 4 is wanted and 5 is there"}
	v := newConsole(t, fake.url)
	shown := v.post("/triggers/"+editedID, orderForm("mapping.actor.kind", "path", "mapping.actor.value", "data.buyer"), http.StatusPreconditionFailed)
	shown.has(t, "Somebody else was faster", "<pre>theirs</pre>", "<pre>order-confirmation</pre>", "<pre>data.buyer</pre>", "<pre>all properties</pre>", "cents = expression: data.total * 100",
		`name="revision" value="5"`, `name="workflow" value="order-confirmation"`, `href="/triggers/`+editedID+`/edit"`)
	shown.hasNot(t, "<pre>Order Completed</pre>")
	fake.change(func() { delete(fake.refuse, "PATCH /triggers/"+editedID) })
	form := orderForm()
	form.Set("revision", "5")
	v.post("/triggers/"+editedID, form, http.StatusSeeOther)
	if _, revision := fake.sent("PATCH", "/triggers/"+editedID); revision != `"5"` {
		t.Error(revision)
	}
}

func TestWhoMayOnlyReadCanTryTriggers(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.tokens = twoTokens()
	v := newConsole(t, fake.url).logIn(readToken)
	v.get("/triggers/new?event_id="+eventID, http.StatusOK).hasNot(t, `class="primary"`, ">Save<", ">Create trigger<")
	v.post("/triggers/preview", orderForm(), http.StatusOK).has(t, "9 matched")
	v.post("/triggers", orderForm(), http.StatusForbidden).has(t, "This needs a token with the scope write")
	v.post("/triggers/"+editedID, orderForm(), http.StatusForbidden)
}

func TestEventsOfTheChosenSourceAreSuggested(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/logs/names?source="+shopID+"&environment=production", http.StatusOK)
	asked, err := url.ParseQuery(fake.requests("GET", "/event-names")[0].query)
	if err != nil || asked.Get("source") != shopID || asked.Get("environment") != "production" {
		t.Error(asked, err)
	}
}

// TestTriggerIsEditedAsItIs looks at how the entries of a mapping are shown.
func TestTriggerIsEditedAsItIs(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.world.edited.Mapping = schemas.Mapping{
		Recipients: json.RawMessage(`{"expr":"[user_id,\n data.buyer]"}`), Actor: json.RawMessage(`{"value":"</textarea><script>x"}`),
		Data: map[string]json.RawMessage{"<k>": json.RawMessage(`{"value":"42"}`), "n": json.RawMessage(`{"value":42}`), "spaced\n": json.RawMessage(`"data.total"`)},
	}
	loaded := newConsole(t, fake.url).get("/triggers/"+editedID+"/edit", http.StatusOK)
	loaded.has(t, "<h1>Edit trigger</h1>", `action="/triggers/`+editedID+`"`, "[user_id,\n data.buyer]</textarea>", `value="&#34;42&#34;"`, `value="42"`, `value="&lt;k&gt;"`, `value="spaced"`,
		`{&#34;key&#34;:&#34;spaced\n&#34;,&#34;entry&#34;:&#34;data.total&#34;}`, `value="&lt;/textarea&gt;&lt;script&gt;x"`, `id="data-chosen" name="data" value="chosen" checked`)
	if rows := strings.Count(loaded.body, `name="data.key"`); rows != 4 {
		t.Errorf("%d rows, want the three there are and an empty one", rows)
	}
}

func TestEditorIsBounded(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	long := strings.Repeat("x", 4<<10)
	fake.world.editor = func(_, path, _ string) (int, any) {
		samples, properties := []any{}, []any{}
		for i := range 100 {
			samples = append(samples, map[string]any{
				"event_id": eventID, "event": "Order Completed", "received_at": noon(), "outcome": "matched", "reason": long, "request": map[string]any{"note": noise(i)},
			})
		}
		for i := range 2000 {
			properties = append(properties, map[string]any{"path": fmt.Sprintf("data.%d", i), "types": map[string]any{"string": 1}, "events": 1, "example": long[:200]})
		}
		properties[0] = map[string]any{"path": "data." + long, "types": map[string]any{"string": 1}, "events": 1}
		switch {
		case path == "/triggers/preview":
			trigger := map[string]any{
				"trigger_id": "", "name": "", "workflow": "", "status": "active", "errors": []any{}, "warnings": []any{},
				"last": map[string]any{"events": 100, "counts": map[string]any{"matched": 100}, "samples": samples},
			}
			return 200, map[string]any{"event": nil, "triggers": []any{trigger}}
		case strings.HasSuffix(path, "/properties"):
			return 200, map[string]any{"items": properties, "next_cursor": nil, "events": 100, "cut": true}
		}
		return 0, nil
	}
	v := newConsole(t, fake.url)
	loaded := v.get("/triggers/"+editedID+"/edit", http.StatusOK)
	loaded.has(t, "And 1,900 more, which can be typed.", "…")
	if size := sizeOf(t, v.url+"/triggers/"+editedID+"/edit?wait=1"); size > 80<<10 {
		t.Errorf("%d bytes are transferred", size)
	}
}
