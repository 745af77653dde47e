package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

func TestTriggerAnswersStayAsTheyAre(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	s.golden("trigger-created", "POST", "/api/v1/triggers", `{"environment":"development","source_id":"app","name":"welcome","description":"greets",
		"event":"Signed Up","workflow":"welcome","condition":"data.plan == \"pro\"",
		"mapping":{"recipients":"user_id","tenant":{"value":"acme"},"data":{"plan":"data.plan","n":{"expr":"len(data.items)"}}}}`, http.StatusCreated)
	s.golden("trigger-refused", "POST", "/api/v1/triggers", `{"environment":"development","source_id":"app","event":"E","workflow":"w","condition":"dta.total > 1"}`,
		http.StatusUnprocessableEntity)
	s.golden("triggers", "GET", "/api/v1/triggers", "", http.StatusOK)
	s.golden("workflows", "GET", "/api/v1/workflows", "", http.StatusOK)
}

func TestTriggerIsCopiedToAnotherEnvironment(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	made := s.call("POST", "/api/v1/triggers", `{"environment":"development","source_id":"app","name":"welcome","event":"E","workflow":"w","condition":"true","mapping":{"actor":"user_id"}}`, http.StatusCreated)
	id, _ := made["id"].(string)
	path := "/api/v1/triggers/" + id + "/copy"
	copied := s.call("POST", path, `{"environment":"production"}`, http.StatusCreated)
	for _, member := range []string{"source_id", "name", "event", "workflow", "condition"} {
		if copied[member] != made[member] {
			t.Errorf("%s: %v became %v", member, made[member], copied[member])
		}
	}
	if copied["id"] == made["id"] || copied["environment"] != "production" || copied["status"] != "inactive" || copied["revision"] != 1.0 {
		t.Errorf("copied %v", copied)
	}
	active := s.call("POST", path, `{"environment":"production","name":"second","status":"active"}`, http.StatusCreated)
	if active["status"] != "active" || active["name"] != "second" {
		t.Errorf("copied %v", active)
	}
	s.refused("POST", path, `{"environment":"nowhere"}`, 422, "invalid", "environment")
	s.refused("POST", path, `{"environment":"production","status":"asleep","name":"third"}`, 422, "invalid", "status")
	s.refused("POST", path, `{"environments":"production"}`, 422, "invalid", "environments")
	s.refused("POST", "/api/v1/triggers/trg_none/copy", `{"environment":"production"}`, 404, "not_found", "")
}

// names lists the triggers of a query, page by page.
func (s server) names(query url.Values) []string {
	s.t.Helper()
	var found []string
	for {
		list := s.call("GET", "/api/v1/triggers?"+query.Encode(), "", http.StatusOK)
		for _, one := range items(list) {
			trigger, _ := one.(map[string]any)
			found = append(found, fmt.Sprint(trigger["name"]))
		}
		next, more := list["next_cursor"].(string)
		if !more {
			return found
		}
		query.Set("cursor", next)
	}
}

func TestTriggersAreListedPageByPage(t *testing.T) {
	s := newServer(t)
	s.call("POST", "/api/v1/sources", `{"name":"app"}`, http.StatusCreated)
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("t%d", i)
		s.call("POST", "/api/v1/triggers", `{"environment":"production","source_id":"app","name":"`+name+`","event":"E","workflow":"w"}`, http.StatusCreated)
		want = append(want, name)
	}
	for _, size := range []string{"1", "3", "7", "500"} {
		if got := s.names(url.Values{"limit": {size}}); !slices.Equal(got, want) {
			t.Errorf("in pages of %s: %v", size, got)
		}
	}
	// The trigger that a cursor stands on may go meanwhile.
	first := s.call("GET", "/api/v1/triggers?limit=3", "", http.StatusOK)
	last, _ := items(first)[2].(map[string]any)
	s.call("DELETE", fmt.Sprintf("/api/v1/triggers/%s", last["id"]), "", http.StatusNoContent)
	if got := s.names(url.Values{"cursor": {fmt.Sprint(first["next_cursor"])}}); !slices.Equal(got, want[3:]) {
		t.Errorf("after a deletion: %v", got)
	}
	s.refused("GET", "/api/v1/triggers?limit=501", "", 400, "invalid_filter", "limit")
	s.refused("GET", "/api/v1/triggers?limit=many", "", 400, "invalid_filter", "limit")
	s.refused("GET", "/api/v1/triggers?cursor=zzz", "", 400, "invalid_filter", "cursor")
}

func TestTriggersAreFilteredByWhatPeopleKnowThemBy(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"app", "shop"} {
		s.call("POST", "/api/v1/sources", `{"name":"`+name+`"}`, http.StatusCreated)
	}
	make := func(name, environment, source, event, workflow, rest string) {
		s.call("POST", "/api/v1/triggers", fmt.Sprintf(`{"name":%q,"environment":%q,"source_id":%q,"event":%q,"workflow":%q%s}`,
			name, environment, source, event, workflow, rest), http.StatusCreated)
	}
	make("a", "production", "app", "Signed Up", "welcome", `,"description":"Greets people"`)
	make("b", "development", "app", "Signed Up", "welcome", `,"status":"inactive"`)
	make("c", "production", "shop", "Order Completed", "receipt", `,"condition":"data.currency == \"EUR\""`)
	f := func(query string, want ...string) {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.names(values); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	f("", "a", "b", "c")
	f("environment=production", "a", "c")
	f("source=app", "a", "b")
	f("event=Signed+Up&environment=development", "b")
	f("workflow=receipt", "c")
	f("status=inactive", "b")
	f("status=active&workflow=welcome", "a")
	f("text=eur", "c")
	f("text=GREETS", "a")
	f("text=nothing")
	s.refused("GET", "/api/v1/triggers?status=asleep", "", 400, "invalid_filter", "status")
	// A filter with a typo would show everything.
	s.refused("GET", "/api/v1/triggers?work_flow=welcome", "", 400, "invalid_filter", "work_flow")
	s.refused("GET", "/api/v1/sources?limit=7", "", 400, "invalid_filter", "limit")
	s.refused("GET", "/api/v1/events?Source=app", "", 400, "invalid_filter", "Source")

	workflows := items(s.call("GET", "/api/v1/workflows?environment=production", "", http.StatusOK))
	if len(workflows) != 2 || fmt.Sprint(workflows[0]) != "map[active:1 environment:production key:receipt triggers:1]" {
		t.Errorf("workflows %v", workflows)
	}
}

func TestWhatTriggersDidIsAskedWithSense(t *testing.T) {
	s := newServer(t)
	s.refused("GET", "/api/v1/events?outcome=matched", "", 400, "invalid_filter", "outcome")
	s.refused("GET", "/api/v1/events?trigger=trg_1&outcome=matched&outcome=odd", "", 400, "invalid_filter", "outcome")
	s.refused("GET", "/api/v1/events?trigger=trg_1&after=0s", "", 400, "invalid_filter", "trigger")
	s.refused("GET", "/api/v1/analytics/series?by=outcome", "", 400, "invalid_filter", "trigger")
	s.refused("GET", "/api/v1/analytics/series?by=event&trigger=trg_1", "", 400, "invalid_filter", "trigger")
	many := url.Values{}
	for i := range 501 {
		many.Add("trigger", fmt.Sprintf("trg_%d", i))
	}
	s.refused("GET", "/api/v1/analytics/dedup?"+many.Encode(), "", 400, "invalid_filter", "trigger")
}
