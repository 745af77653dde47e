package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// editedID is the trigger that the editor's tests edit.
const editedID = "trg_0000000000000000000000000000ed17"

// editedTrigger is one with an entry of each kind.
func editedTrigger() schemas.Trigger {
	return schemas.Trigger{
		ID: editedID, Environment: "production", SourceID: shopID, Name: "big-order", Description: "Thanks for large orders",
		Event: "Order Completed", Workflow: "order-confirmation", Condition: "data.total > 100 && data.currency == \"EUR\"",
		Mapping: schemas.Mapping{
			Recipients: json.RawMessage(`"user_id"`), Tenant: json.RawMessage(`{"value":"shop-eu"}`), CancellationKey: json.RawMessage(`"data.order_id"`),
			Data: map[string]json.RawMessage{
				"order": json.RawMessage(`"data.order_id"`), "cents": json.RawMessage(`{"expr":"data.total * 100"}`),
				"template": json.RawMessage(`{"value":{"name":"thanks","version":2}}`), "coupon": json.RawMessage(`"data.coupon"`),
			},
		},
		Status: schemas.TriggerActive, Revision: 4, CreatedAt: noon(), UpdatedAt: noon(),
	}
}

// editorViews are the pages of this part that are worth a look.
func editorViews() []view {
	wrong := busyShop()
	wrong.edited.Condition = "data.total > 100 &&\n  dat.currency == \"EUR\""
	wrong.edited.Mapping.Actor = json.RawMessage(`"data.buyer"`)
	down := func(f *fakeAPI) {
		f.refuse["POST /triggers/preview"] = refusal{503, "unavailable", "", "the catalog or the event log did not answer; try again"}
	}
	return []view{
		{name: "trigger-new", path: "/triggers/new", knows: busyShop()},
		{name: "trigger-new-for-event", path: "/triggers/new?event_id=" + eventID, knows: busyShop()},
		{name: "trigger-new-unseen", path: "/triggers/new?source=shop&environment=production&event=Order%20Complted", knows: busyShop()},
		{name: "trigger-edit", path: "/triggers/" + editedID + "/edit", knows: busyShop()},
		{name: "trigger-edit-open", path: "/triggers/" + editedID + "/edit?event_id=" + eventID, knows: busyShop(), open: true},
		{name: "trigger-edit-wrong", path: "/triggers/" + editedID + "/edit", knows: wrong},
		{name: "trigger-edit-down", path: "/triggers/" + editedID + "/edit", knows: busyShop(), change: down},
	}
}

// editorPaths are its pages, of the busy shop.
func editorPaths() []string {
	return []string{"/triggers/new?event_id=" + eventID, "/triggers/" + editedID + "/edit"}
}

// previewAsked is what a preview is asked for.
type previewAsked struct {
	Trigger schemas.Trigger `json:"trigger"`
	EventID string          `json:"event_id"`
	Last    int             `json:"last"`
}

// editorAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) editorAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	body := f.asked[len(f.asked)-1].body
	if f.world.editor != nil {
		if status, answer := f.world.editor(r.Method, path, body); status != 0 {
			return status, answer
		}
	}
	switch {
	case strings.HasPrefix(path, "/event-names/") && strings.HasSuffix(path, "/properties"):
		return 200, f.properties(path)
	case r.Method == http.MethodPost && path == "/triggers/preview":
		var asked previewAsked
		if err := json.Unmarshal([]byte(body), &asked); err != nil {
			f.t.Error(err)
		}
		return 200, f.preview(asked)
	case r.Method == http.MethodPost && path == "/triggers" && me.Scope != "read":
		created := f.world.edited
		return 201, created
	case path == "/triggers/"+editedID && r.Method == http.MethodGet, path == "/triggers/"+editedID && r.Method == http.MethodPatch && me.Scope != "read":
		return 200, f.world.edited
	}
	return 0, nil
}

// properties are what the events of the busy shop have.
func (f *fakeAPI) properties(path string) any {
	answer := map[string]any{"items": []any{}, "next_cursor": nil, "events": 0, "cut": false}
	if len(f.world.events) == 0 || !strings.Contains(path, "Completed") {
		return answer
	}
	property := func(path, kind string, events int, example any) map[string]any {
		made := map[string]any{"path": path, "types": map[string]any{kind: events}, "events": events}
		if example != nil {
			made["example"] = example
		}
		return made
	}
	answer["events"] = 20
	answer["items"] = []any{
		property("data", "object", 20, nil), property("data.coupon", "string", 3, "WELCOME10"), property("data.currency", "string", 20, "EUR"),
		property("data.items", "array", 20, nil), property("data.items.0.quantity", "number", 20, 2), property("data.items.0.sku", "string", 20, "TEA-42"),
		property("data.order_id", "string", 20, "90210"), property(`data.total`, "number", 20, 142.5), property("data.gift note", "string", 1, "<b>Enjoy</b>"),
		property("user_id", "string", 20, "ada"), property("context.library.name", "string", 20, "shop"),
	}
	return answer
}

// preview has a trigger hold for the orders above 100 of the busy shop, which has had one of each total from 42 on.
func (f *fakeAPI) preview(asked previewAsked) any {
	trigger := map[string]any{"trigger_id": "", "name": asked.Trigger.Name, "workflow": asked.Trigger.Workflow, "status": "active", "errors": []any{}, "warnings": []any{}}
	answer := map[string]any{"event": nil, "triggers": []any{trigger}}
	last := map[string]any{"events": 0, "counts": map[string]any{}, "samples": []any{}}
	trigger["last"] = last
	if len(f.world.events) == 0 || asked.Trigger.Event != "Order Completed" {
		trigger["warnings"] = []any{map[string]any{"field": "event", "message": fmt.Sprintf("no event %q of this source is in the log of production; did you mean \"Order Completed\"?", asked.Trigger.Event), "suggestion": "Order Completed"}}
		return answer
	}
	faults, warnings := []any{}, []any{}
	for number, line := range strings.Split(asked.Trigger.Condition, "\n") {
		if at := strings.Index(line, "dat."); at >= 0 {
			faults = append(faults, map[string]any{"field": "condition", "line": number + 1, "column": at + 1, "message": "unknown name \"dat\", did you mean \"data\"? Known are anonymous_id, context, data, event", "suggestion": "data"})
		}
	}
	if string(asked.Trigger.Mapping.Actor) == `"data.buyer"` {
		warnings = append(warnings, map[string]any{"field": "mapping.actor", "line": 1, "column": 1, "message": "data.buyer is not in the last 20 events"})
	}
	trigger["errors"], trigger["warnings"] = faults, warnings
	samples, counts := []any{}, map[string]int{}
	for i := range 20 {
		one := f.evaluated(asked.Trigger, i)
		counts[one["outcome"].(string)]++
		one["event_id"], one["event"], one["received_at"] = fmt.Sprintf("019524f0-0000-7000-8000-%012d", i+1), asked.Trigger.Event, noon().Add(-time.Duration(i*i)*7*time.Second)
		samples = append(samples, one)
	}
	last["events"], last["counts"], last["samples"] = 20, counts, samples
	if asked.EventID != "" {
		answer["event"] = api.PreviewedEvent{ID: asked.EventID, SourceID: shopID, Environment: "production", Event: "Order Completed", MessageID: "order-90210", ReceivedAt: noon()}
		for name, value := range f.evaluated(asked.Trigger, 0) {
			trigger[name] = value
		}
	}
	return answer
}

func (f *fakeAPI) evaluated(trigger schemas.Trigger, i int) map[string]any {
	total := 142.5 - float64(i)*5
	switch {
	case i == 11:
		return map[string]any{"outcome": "mapping_error", "reason": "mapping.recipients: user_id is not in the event"}
	case strings.Contains(trigger.Condition, "data.total > 100") && total <= 100:
		return map[string]any{"outcome": "condition_false", "reason": fmt.Sprintf("data.total > 100 is false: data.total is %v", total)}
	}
	coupon := []string{"WELCOME10", "<script>alert(1)</script>"}[i%2]
	request := map[string]any{
		"recipients": []any{"ada"}, "tenant": "shop-eu", "cancellation_key": "90210",
		"data": map[string]any{"order": "90210", "cents": total * 100, "coupon": coupon, "template": map[string]any{"name": "thanks", "version": 2}},
	}
	return map[string]any{"outcome": "matched", "request": request, "recipients": []any{"ada"}}
}
