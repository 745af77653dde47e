package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// settingsViews are the pages of this part that are worth a look.
func settingsViews() []view {
	busy := settledShop()
	fresh := emptyShop()
	fresh.environments = append(fresh.environments, schemas.Environment{Name: "staging", Revision: 1, Workflows: schemas.WorkflowAPI{Kind: schemas.WorkflowNone, Order: schemas.RelaxedOrder}})
	// Whoever comes without a token is one of those that it knows.
	as := func(who api.Me) func(*fakeAPI) {
		return func(f *fakeAPI) {
			f.tokens = map[string]api.Me{"": who, readToken: {Name: "support", Scope: "read"}, writeToken: {Name: "ci", Scope: "write"}}
		}
	}
	return []view{
		{name: "environments", path: "/settings", knows: busy},
		{name: "environment-new", path: "/settings/new", knows: busy},
		{name: "environment", path: "/settings/environments/production", knows: busy, open: true},
		{name: "environment-none", path: "/settings/environments/staging", knows: fresh},
		{name: "environment-slow", path: "/settings/environments/production", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /analytics/latency"] = refusal{503, "too_slow", "", "the event log took too long; ask for less time"}
		}},
		{name: "tokens", path: "/settings/tokens", knows: busy},
		{name: "audit", path: "/settings/audit", knows: busy},
		{name: "audit-open", path: "/settings/audit", knows: busy, open: true},
		{name: "audit-empty", path: "/settings/audit?actor=nobody", knows: fresh},
		{name: "tokens-admin", path: "/settings/tokens", knows: busy, change: as(api.Me{Name: "ops", Scope: "admin"})},
		{name: "tokens-read", path: "/settings/tokens", knows: busy, change: as(api.Me{Name: "grafana", Scope: "read"})},
		{name: "environment-read", path: "/settings/environments/production", knows: busy, change: as(api.Me{Name: "grafana", Scope: "read"})},
		{name: "audit-read", path: "/settings/audit", knows: busy, change: as(api.Me{Name: "grafana", Scope: "read"})},
	}
}

// settingsPaths are its pages, of the busy shop.
func settingsPaths() []string {
	return []string{"/settings", "/settings/new", "/settings/environments/production", "/settings/tokens", "/settings/audit"}
}

// settledShop is the busy shop with a workflow API of its own.
func settledShop() world {
	w := busyShop()
	for i := range w.environments {
		w.environments[i].CreatedAt, w.environments[i].UpdatedAt = noon(), noon()
	}
	w.environments[1].Description, w.environments[1].Revision = "What customers see", 7
	w.environments[1].Workflows = schemas.WorkflowAPI{
		Kind: schemas.WorkflowHTTP, BaseURL: "https://engine.example.com", APIKeyRef: "file:/run/secrets/engine", Order: schemas.StrictOrder, Concurrency: 64, RateLimit: 250.5,
	}
	return w
}

// settingsAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) settingsAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	switch r.Method + " " + path {
	case "GET /workflows":
		return 200, items([]api.Workflow{
			{Key: "cart-reminder", Environment: "production", Triggers: 1, Active: 1},
			{Key: "order-confirmation", Environment: "production", Triggers: 1204, Active: 1200},
		})
	case "GET /tokens":
		if me.Scope != "admin" {
			return no(403, "forbidden", "", "this needs a token with the scope admin")
		}
		all := []api.Token{}
		for _, known := range f.tokens {
			all = append(all, api.Token(known))
		}
		slices.SortFunc(all, func(a, b api.Token) int { return strings.Compare(a.Name, b.Name) })
		return 200, items(all)
	case "GET /audit":
		if me.Scope == "read" {
			return no(403, "forbidden", "", "this needs a token with the scope write")
		}
		if len(f.world.events) == 0 {
			return 200, items([]query.AuditItem{})
		}
		return 200, items(changesOfTheShop())
	}
	name, isOne := strings.CutPrefix(path, "/environments")
	if !isOne || r.Method == http.MethodGet && name == "" {
		return 0, nil
	}
	return f.environmentAnswer(r, strings.TrimPrefix(name, "/"), me)
}

func (f *fakeAPI) environmentAnswer(r *http.Request, name string, me api.Me) (int, any) {
	if r.Method != http.MethodGet && me.Scope != "admin" {
		return no(403, "forbidden", "", "this needs a token with the scope admin")
	}
	if r.Method == http.MethodPost {
		return 201, f.world.environments[1]
	}
	for _, environment := range f.world.environments {
		switch {
		case environment.Name != name:
		case r.Method == http.MethodDelete:
			return 204, nil
		default:
			return 200, environment
		}
	}
	return no(404, "not_found", "", fmt.Sprintf("environment %q: not found", name))
}

// changesOfTheShop are some of every kind; the second request changed three things.
func changesOfTheShop() []query.AuditItem {
	item := func(i, change int, at time.Time, actor string, action schemas.Action, kind, id, name string, revision int64, before, after string) query.AuditItem {
		made := query.AuditItem{
			ID: fmt.Sprintf("019525aa-0000-7000-8000-%012d", i), ChangeID: fmt.Sprintf("019525bb-0000-7000-8000-%012d", change), At: at, Actor: actor,
			Action: action, Kind: kind, ResourceID: id, Name: name, Revision: revision,
		}
		if before != "" {
			made.Before = json.RawMessage(before)
		}
		if after != "" {
			made.After = json.RawMessage(after)
		}
		return made
	}
	trigger := func(revision int, condition, status, total string) string {
		return fmt.Sprintf(`{"id":%q,"environment":"production","source_id":%q,"name":"order-confirmation","event":"Order Completed","workflow":"order-confirmation","condition":%q,"mapping":{"recipients":"user_id","data":{"order":"data.order_id","total":%s}},"status":%q,"revision":%d}`,
			orderID, shopID, condition, total, status, revision)
	}
	return []query.AuditItem{
		item(1, 1, noon().Add(-3*time.Minute), "ada", schemas.Updated, "trigger", orderID, "order-confirmation", 5,
			trigger(4, `data.total > 100`, "active", `"data.total"`), trigger(5, `data.total > 100 && data.currency == "EUR"`, "active", `{"expr":"round(data.total * 1.19)"}`)),
		item(2, 2, noon().Add(-2*time.Hour), "ci", schemas.Updated, "environment", "production", "production", 7,
			`{"name":"production","description":"What customers see","revision":6,"workflow_api":{"kind":"http","base_url":"https://engine.example.com","api_key":"env:ENGINE","concurrency":32,"rate_limit":0,"order":"relaxed"}}`,
			`{"name":"production","description":"What customers see","revision":7,"workflow_api":{"kind":"http","base_url":"https://engine.example.com","api_key":"file:/run/secrets/engine","concurrency":64,"rate_limit":250.5,"order":"strict"}}`),
		item(3, 2, noon().Add(-2*time.Hour), "ci", schemas.Created, "source", mobileID, "mobile", 1, "",
			`{"id":"`+mobileID+`","name":"mobile","description":"The apps for phones","revision":1,"endpoints":{"production":{"dedup_window":"24h0m0s"}}}`),
		item(4, 2, noon().Add(-2*time.Hour), "ci", schemas.Deleted, "trigger", "trg_00000000000000000000000000000009", "", 2, trigger(2, "", "inactive", `"data.total"`), ""),
		item(5, 3, noon().Add(-26*time.Hour), "ada", schemas.Updated, "replay", "rpl_00000000000000000000000000000001", "", 3, `{"state":"running","revision":2}`, `{"state":"paused","revision":3}`),
		item(6, 4, noon().Add(-50*time.Hour), "system", schemas.Created, "environment", "production", "production", 1, "", `{"name":"production","revision":1}`),
	}
}
