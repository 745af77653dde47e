package console_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

const (
	bigOrderID   = "trg_00000000000000000000000000000002"
	cartID       = "trg_00000000000000000000000000000003"
	everythingID = "trg_00000000000000000000000000000004"
	goneID       = "trg_00000000000000000000000000000009"
)

// triggersViews are the pages of this part that are worth a look.
func triggersViews() []view {
	busy, quiet, repaired := busyShop(), busyShop(), busyShop()
	quiet.triggers = shopTriggers()[2:3]
	repaired.detail = brokenOrder(repaired.events[0])
	reader := func(f *fakeAPI) { f.tokens = map[string]api.Me{"": {Name: "support", Scope: "read"}} }
	return []view{
		{name: "triggers", path: "/triggers", knows: busy},
		{name: "triggers-first", path: "/triggers", knows: emptyShop()},
		{name: "triggers-none", path: "/triggers?text=nothing", knows: emptyShop()},
		{name: "triggers-read", path: "/triggers?environment=production", knows: busy, change: func(f *fakeAPI) {
			reader(f)
			f.refuse["GET /analytics/dedup"] = refusal{503, "too_slow", "", "the event log took too long; ask for less time"}
		}},
		{name: "trigger", path: "/triggers/" + orderID, knows: busy, open: true},
		{name: "trigger-quiet", path: "/triggers/" + cartID, knows: quiet},
		{name: "trigger-read", path: "/triggers/" + bigOrderID, knows: busy, change: reader},
		{name: "trigger-copied", path: "/triggers/" + bigOrderID + "?done=trigger-copied", knows: busy},
		{name: "trigger-deleted", path: "/triggers/" + goneID, knows: busy},
		{name: "event-failed", path: "/events/" + eventID, knows: repaired},
	}
}

// triggersPaths are its pages, of the busy shop.
func triggersPaths() []string {
	return []string{"/triggers", "/triggers/" + orderID, "/triggers/" + cartID}
}

// triggersAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) triggersAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	asked := r.URL.Query()
	switch {
	case path == "/audit" && strings.HasPrefix(asked.Get("resource"), "trg_"):
		return 200, f.auditOf(asked.Get("resource"), asked.Get("since"))
	case path == "/runs" && asked.Get("limit") == "5":
		return 200, items(slices.DeleteFunc(slices.Clone(f.world.detail.Runs), func(run query.RunItem) bool { return run.TriggerID != asked.Get("trigger") }))
	case path == "/events" && asked.Has("outcome"):
		return 200, items(f.failedOn(asked.Get("trigger")))
	case path == "/analytics/series" && asked.Get("by") == "outcome":
		return 200, f.outcomes(asked.Get("trigger"))
	case path == "/triggers" && r.Method == http.MethodGet:
		return 200, f.triggersLike(r)
	}
	for _, trigger := range f.world.triggers {
		if rest, isIts := strings.CutPrefix(path, "/triggers/"+trigger.ID); isIts {
			return f.triggerAnswer(r, rest, trigger, me)
		}
	}
	return 0, nil
}

func (f *fakeAPI) triggersLike(r *http.Request) any {
	asked := r.URL.Query()
	differs := func(name, value string) bool { return asked.Get(name) != "" && asked.Get(name) != value }
	answer := items(slices.DeleteFunc(slices.Clone(f.world.triggers), func(t schemas.Trigger) bool {
		return differs("event", t.Event) || differs("source", t.SourceID) || differs("environment", t.Environment) || differs("status", string(t.Status))
	}))
	if asked.Get("text") == "many" && asked.Get("cursor") == "" {
		answer["next_cursor"] = "page-2"
	}
	return answer
}

func (f *fakeAPI) triggerAnswer(r *http.Request, rest string, trigger schemas.Trigger, me api.Me) (int, any) {
	if r.Method != http.MethodGet && me.Scope == "read" {
		return no(403, "forbidden", "", "this needs a token with the scope write")
	}
	switch {
	case rest == "/copy":
		for _, other := range f.world.triggers {
			if other.ID == bigOrderID {
				return 201, other
			}
		}
	case r.Method == http.MethodDelete:
		return 204, nil
	case rest == "":
		return 200, trigger
	}
	return 0, nil
}

// auditOf is the changes of a trigger, also those of one that is called like it.
func (f *fakeAPI) auditOf(id, since string) any {
	from, _ := time.Parse(time.RFC3339Nano, since)
	return items(slices.DeleteFunc(slices.Clone(f.world.audit), func(item query.AuditItem) bool {
		return item.ResourceID != id && item.Name != id || item.At.Before(from)
	}))
}

func (f *fakeAPI) failedOn(id string) []query.EventItem {
	if id != orderID || len(f.world.events) == 0 {
		return nil
	}
	return []query.EventItem{f.world.events[5], f.world.events[12]}
}

// outcomes is what a trigger did in the last day, by the hour.
func (f *fakeAPI) outcomes(id string) query.Series {
	counted := query.Series{Interval: query.Hour, Since: noon().Add(-24 * time.Hour), Until: noon(), Times: []time.Time{}, Series: []query.Line{}}
	if id != orderID {
		return counted
	}
	for hour := range 24 {
		counted.Times = append(counted.Times, noon().Add(time.Duration(hour-24)*time.Hour))
	}
	for i, outcome := range []string{"matched", "condition_false", "mapping_error", "condition_error"} {
		line := query.Line{Value: &outcome}
		for hour := range 24 {
			count := uint64([]int{1500, 500, 0, 0}[i] + (hour*37*(i+3))%[]int{700, 300, 16, 9}[i])
			line.Counts, line.Total = append(line.Counts, count), line.Total+count
		}
		counted.Series = append(counted.Series, line)
	}
	return counted
}

// shopTriggers are the triggers of the busy shop, oldest first.
func shopTriggers() []schemas.Trigger {
	made := func(id, environment, source, event, workflow string, revision int64) schemas.Trigger {
		return schemas.Trigger{
			ID: id, Environment: environment, SourceID: source, Event: event, Workflow: workflow, Status: schemas.TriggerActive, Revision: revision,
			CreatedAt: noon().Add(-700 * time.Hour), UpdatedAt: noon().Add(-30 * time.Hour),
		}
	}
	order := made(orderID, "production", shopID, "Order Completed", "order-confirmation", 4)
	order.Name, order.Description = "confirm-order", "Thanks the buyer, and tells them when the parcel leaves"
	order.Condition = "data.total > 100 &&\ndata.currency == \"EUR\" &&\nlen(data.items) > 0"
	order.Mapping = schemas.Mapping{
		Recipients: json.RawMessage(`"user_id"`), Tenant: json.RawMessage(`{"value":"shop-eu"}`), CancellationKey: json.RawMessage(`"data.order_id"`),
		Data: map[string]json.RawMessage{
			"order": json.RawMessage(`"data.order_id"`), "total": json.RawMessage(`"data.total"`), "first_item": json.RawMessage(`"data.items.0.sku"`),
			"quantity": json.RawMessage(`{"expr":"sum(data.items, .quantity)"}`), "channel": json.RawMessage(`{"value":{"kind":"email","urgent":false}}`),
		},
	}
	big := made(bigOrderID, "development", shopID, "Order Completed", "big-order", 1)
	big.Condition, big.Status = "data.total > 500", schemas.TriggerInactive
	cart := made(cartID, "production", mobileID, "Cart Abandoned", "cart-reminder", 2)
	cart.Name = "remind"
	all := made(everythingID, "production", shopID, schemas.AnyEvent, "profile-sync", 1)
	bigLive := made("trg_00000000000000000000000000000005", "production", shopID, "Order Completed", "big-order", 1)
	bigLive.Name, bigLive.Status, bigLive.Condition = "big-order", schemas.TriggerInactive, "data.total > 500 && data.currency == \"EUR\" && any(data.items, .quantity > 10 || .sku startsWith \"PALLET-\") && user_id != nil"
	return []schemas.Trigger{order, big, cart, all, bigLive}
}

// shopAudit is how the first of the triggers became what it is, and how one came and went; newest first.
func shopAudit() []query.AuditItem {
	fourth := shopTriggers()[0]
	third := fourth
	third.Revision, third.Condition = 3, "data.total > 100 &&\ndata.currency == \"USD\" &&\nlen(data.items) > 0"
	third.Mapping.Data = map[string]json.RawMessage{"order": json.RawMessage(`"data.order_id"`), "total": json.RawMessage(`{"expr":"data.total * 100"}`)}
	second := third
	second.Revision, second.Status = 2, schemas.TriggerInactive
	first := second
	first.Revision, first.Name, first.Description, first.Condition, first.Mapping = 1, "", "", "", schemas.Mapping{}
	gone := shopTriggers()[2]
	gone.ID, gone.Name, gone.Workflow = goneID, "winback", "winback"
	made := gone
	made.Revision = 1
	changed := func(id string, hours int, actor string, action schemas.Action, before, after *schemas.Trigger) query.AuditItem {
		item := query.AuditItem{
			ID: "0195250b-0000-7000-8000-0000000000" + id, ChangeID: "0195250c-0000-7000-8000-0000000000" + id, At: noon().Add(-time.Duration(hours) * time.Hour),
			Actor: actor, Action: action, Kind: "trigger",
		}
		for _, state := range []*schemas.Trigger{before, after} {
			if state != nil {
				item.ResourceID, item.Name, item.Revision = state.ID, state.Name, state.Revision
			}
		}
		item.Before, item.After = stateOf(before), stateOf(after)
		return item
	}
	return []query.AuditItem{
		changed("01", 20, "ada", schemas.Deleted, &gone, nil),
		changed("02", 30, "ci", schemas.Updated, &third, &fourth),
		changed("03", 90, "ada", schemas.Updated, &second, &third),
		changed("04", 200, "grace", schemas.Updated, &first, &second),
		changed("05", 700, "grace", schemas.Created, nil, &first),
		changed("06", 720, "ada", schemas.Created, nil, &made),
	}
}

func stateOf(trigger *schemas.Trigger) json.RawMessage {
	if trigger == nil {
		return nil
	}
	raw, _ := json.Marshal(trigger)
	return raw
}

// brokenOrder is an event on which a trigger failed.
func brokenOrder(item query.EventItem) api.Event {
	event := orderCompleted(item)
	event.Status, event.Decision.Status = schemas.Failed, schemas.Failed
	event.Decision.Triggers[0] = schemas.TriggerDecision{TriggerID: orderID, Revision: 4, Workflow: "order-confirmation", Outcome: schemas.MappingError, Reason: "mapping.data.first_item: data.items is missing"}
	event.Runs, event.Attempts = []query.RunItem{}, []query.Attempt{}
	event.Timeline = event.Timeline[:4]
	event.Timeline[2].Outcome, event.Timeline[2].RunID, event.Timeline[2].Message = "mapping_error", "", "mapping.data.first_item: data.items is missing"
	return event
}
