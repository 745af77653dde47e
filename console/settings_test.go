package console_test

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/rig/browser"
)

const adminToken = "admin-0123456789abcdef"

// environmentForm is what the browser sends of the form of an environment.
func environmentForm(changed url.Values) url.Values {
	form := url.Values{
		"name": {"production"}, "description": {""}, "revision": {"7"}, "workflow_api.kind": {"http"}, "workflow_api.order": {"relaxed"},
		"workflow_api.base_url": {""}, "workflow_api.api_key": {""}, "workflow_api.concurrency": {""}, "workflow_api.rate_limit": {""},
	}
	for name, values := range changed {
		form[name] = values
	}
	return form
}

func TestEnvironmentsShowTheirWorkflowAPIAndWhatIsInThem(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, settledShop()).url)
	v.get("/settings", http.StatusOK).has(t, `href="/settings/environments/production"`, "What customers see", "https://engine.example.com",
		"file:/run/secrets/engine", ">64</td>", ">250.5</td>", "strict", "the dispatcher's, with its key", "no limit", "1,205", `href="/settings/new"`)
}

func TestEnvironmentShowsItsDeliveriesAndWhereToLookFurther(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	v := newConsole(t, fake.url)
	loaded := v.get("/settings/environments/production", http.StatusOK)
	loaded.has(t, `href="/runs?environment=production"`, `href="/dead-letters?environment=production"`, "order-confirmation", "33,988", "43,108", "74 ms", "1.5 s", "1,205</dd>", "1,201 active", "of 2 workflows",
		`value="https://engine.example.com"`, `value="64"`, `value="250.5"`, `<option value="strict" selected>`, `name="revision" value="7"`)
	asked, err := url.ParseQuery(fake.requests("GET", "/analytics/latency")[0].query)
	if want := (url.Values{"environment": {"production"}, "since": {"24h"}, "interval": {"all"}}); err != nil || !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	fake.change(func() {
		fake.refuse["GET /analytics/latency"] = refusal{503, "too_slow", "", "the event log took too long"}
		fake.refuse["GET /workflows"] = refusal{503, "unavailable", "", "the catalog did not answer"}
	})
	v.get("/settings/environments/production", http.StatusOK).has(t, "the event log took too long", "the catalog did not answer", `value="64"`)
	v.get("/settings/environments/nowhere", http.StatusNotFound)
}

func TestSlowDeliveriesDoNotHoldTheSettingsBack(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	fake.slow = map[string]bool{"/analytics/latency": true}
	v := newConsole(t, fake.url)
	loaded := v.send(http.MethodGet, "/settings/environments/production", nil, nil)
	loaded.has(t, `id="state" data-refresh="0"`, "Loading…", `value="64"`)
	// What is replaced when it has come is not what somebody may be typing in.
	if before, _, _ := strings.Cut(loaded.body, "<form method=\"post\" action=\"/settings"); strings.Count(before, "data-refresh") != 1 || strings.Count(loaded.body, "data-refresh") != 1 {
		t.Error(loaded.body)
	}
}

func TestEnvironmentIsCreatedAsTheFormSays(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	v := newConsole(t, fake.url)
	v.get("/settings/new", http.StatusOK).has(t, `<option value="http" selected>`, `<option value="relaxed" selected>`)
	answered := v.post("/settings/environments", environmentForm(url.Values{
		"name": {"production"}, "description": {" live "}, "workflow_api.base_url": {"https://engine.example.com"}, "workflow_api.api_key": {"env:ENGINE"},
		"workflow_api.concurrency": {"1,024"}, "workflow_api.rate_limit": {"0.5"}, "workflow_api.order": {"strict"},
	}), http.StatusSeeOther)
	body, _ := fake.sent("POST", "/environments")
	want := map[string]any{"name": "production", "description": "live", "workflow_api": map[string]any{
		"kind": "http", "base_url": "https://engine.example.com", "api_key": "env:ENGINE", "concurrency": 1024.0, "rate_limit": 0.5, "order": "strict",
	}}
	if !reflect.DeepEqual(body, want) {
		t.Errorf("%v, want %v", body, want)
	}
	v.get(answered.header.Get("Location"), http.StatusOK).has(t, "The environment is there")
}

func TestEnvironmentIsChangedAtTheRevisionThatWasSeen(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	v := newConsole(t, fake.url)
	answered := v.post("/settings/environments/production", environmentForm(url.Values{"workflow_api.kind": {"none"}}), http.StatusSeeOther)
	body, revision := fake.sent("PATCH", "/environments/production")
	want := map[string]any{"kind": "none", "base_url": "", "api_key": "", "concurrency": 0.0, "rate_limit": 0.0, "order": "relaxed"}
	if !reflect.DeepEqual(body["workflow_api"], want) || revision != `"7"` {
		t.Errorf("%v of revision %s, want %v", body, revision, want)
	}
	v.get(answered.header.Get("Location"), http.StatusOK).has(t, "The dispatcher knows within a second")

	fake.change(func() {
		fake.refuse["PATCH /environments/production"] = refusal{412, "stale", "If-Match", "revision 7 is wanted and 8 is there"}
	})
	v.post("/settings/environments/production", environmentForm(url.Values{"description": {"mine"}}), http.StatusPreconditionFailed).
		has(t, "Somebody else has changed the environment", `value="What customers see"`)
}

func TestFaultsOfAnEnvironmentStandAtTheirInputs(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	v := newConsole(t, fake.url)
	f := func(call, path, field string, form url.Values, sent any) {
		t.Helper()
		fake.change(func() { fake.refuse[call] = refusal{422, "invalid", field, "that cannot be"} })
		v.post(path, environmentForm(form), http.StatusUnprocessableEntity).has(t, `id="`+field+`-error">That cannot be.`, `value="`+form.Get(field)+`"`)
		method, of, _ := strings.Cut(call, " ")
		body, _ := fake.sent(method, of)
		workflows, _ := body["workflow_api"].(map[string]any)
		if got := workflows[strings.TrimPrefix(field, "workflow_api.")]; !reflect.DeepEqual(got, sent) {
			t.Errorf("%s: %v was sent, want %v", field, got, sent)
		}
	}
	f("POST /environments", "/settings/environments", "workflow_api.base_url", url.Values{"workflow_api.base_url": {"ftp://e"}}, "ftp://e")
	f("PATCH /environments/production", "/settings/environments/production", "workflow_api.concurrency", url.Values{"workflow_api.concurrency": {"many"}}, "many")
	// What is no number goes to the API as it is, which says so.
	f("PATCH /environments/production", "/settings/environments/production", "workflow_api.rate_limit", url.Values{"workflow_api.rate_limit": {"NaN"}}, "NaN")
}

func TestEnvironmentInUseSaysWhyItStays(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	fake.refuse["DELETE /environments/production"] = refusal{409, "in_use", "", `environment "production" has an enabled endpoint of source "shop"; disable it first`}
	v := newConsole(t, fake.url)
	path, sure := "/settings/environments/production/delete", url.Values{"revision": {"7"}, "sure": {"on"}}
	v.post(path, url.Values{"revision": {"7"}}, http.StatusUnprocessableEntity).has(t, "Nothing was deleted")
	if asked := fake.requests("DELETE", "/environments/production"); len(asked) > 0 {
		t.Error("it was deleted without being sure")
	}
	v.post(path, sure, http.StatusConflict).has(t, "disable it first.", "<details open><summary>Delete it")
	if asked := fake.requests("DELETE", "/environments/production"); len(asked) != 1 || asked[0].revision != `"7"` {
		t.Error(asked)
	}
	fake.change(func() { delete(fake.refuse, "DELETE /environments/production") })
	answered := v.post(path, sure, http.StatusSeeOther)
	v.get(answered.header.Get("Location"), http.StatusOK).has(t, "The environment is deleted")
}

func TestSettingsThatATokenMayNotChangeAreShown(t *testing.T) {
	_, v := guarded(t, settledShop())
	v.logIn(writeToken)
	v.get("/settings", http.StatusOK).hasNot(t, "/settings/new")
	loaded := v.get("/settings/environments/production", http.StatusOK)
	loaded.has(t, "file:/run/secrets/engine", ">64</dd>", "a person's other runs wait", "a token of the scope admin")
	loaded.hasNot(t, `action="/settings/`)
	v.post("/settings/environments", environmentForm(nil), http.StatusForbidden).has(t, "needs a token with the scope admin")
	v.post("/settings/environments/production/delete", url.Values{"sure": {"on"}}, http.StatusForbidden)
}

func TestTokensAreShownToWhoMaySeeThem(t *testing.T) {
	fake, v := guarded(t, settledShop())
	fake.tokens[adminToken] = api.Me{Name: "ops<b>", Scope: "admin"}
	v.logIn(adminToken).get("/settings/tokens", http.StatusOK).has(t, "You are ops&lt;b&gt;, with the scope admin", "support", ">ci", `href="/settings/audit?actor=ci"`, "--api-tokens=NAME:SCOPE:REF")
	v.logIn(writeToken)
	own := v.get("/settings/tokens", http.StatusOK)
	own.has(t, "You are ci, with the scope write", "A token of the scope admin sees all", "What you have changed")
	own.hasNot(t, "support")
	if asked := fake.requests("GET", "/tokens"); len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
	open := newConsole(t, newFakeAPI(t, settledShop()).url)
	open.get("/settings/tokens", http.StatusOK).has(t, "serve this machine alone")
}

func TestAuditLogShowsWhoChangedWhat(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	v := newConsole(t, fake.url)
	loaded := v.get("/settings/audit?kind=trigger&resource=order-confirmation&actor=ada&action=updated&since=24h&until=1h", http.StatusOK)
	loaded.has(t, `href="/triggers/`+orderID+`">order-confirmation`, `href="/sources/`+mobileID+`">mobile`, `href="/settings/environments/production">production`, `href="/replays/rpl_`,
		"condition, mapping.data.total", "data.total &gt; 100 &amp;&amp; data.currency == &#34;EUR&#34;", "3 things together", `rowspan="3"`, "workflow_api.api_key", "What it was", "What it began as", "not set")
	loaded.hasNot(t, "/triggers/trg_00000000000000000000000000000009") // it is deleted
	asked, err := url.ParseQuery(fake.requests("GET", "/audit")[0].query)
	want := url.Values{"kind": {"trigger"}, "resource": {"order-confirmation"}, "actor": {"ada"}, "action": {"updated"}, "since": {"24h"}, "until": {"1h"}, "limit": {"50"}}
	if err != nil || !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	fake.change(func() {
		fake.refuse["GET /audit"] = refusal{400, "invalid_filter", "since", "give a time such as 2026-11-20T08:30:00Z, or how long ago, such as 24h"}
	})
	v.get("/settings/audit?since=yesterday", http.StatusBadRequest).has(t, `id="since-error">Give a time`, `value="yesterday"`)
}

func TestAuditLogThatATokenMayNotReadSaysWhy(t *testing.T) {
	fake, v := guarded(t, settledShop())
	v.logIn(readToken).get("/settings/audit", http.StatusOK).has(t, "needs a token with the scope write")
	if len(fake.requests("GET", "/audit")) > 0 {
		t.Error("it was asked for")
	}
}

// TestAuditLogOfLargeChangesStaysSmall has fifty changes whose every member is as long as it is shown.
func TestAuditLogOfLargeChangesStaysSmall(t *testing.T) {
	fake := newFakeAPI(t, settledShop())
	noise := make([]byte, 3000)
	random := rand.NewChaCha8([32]byte{})
	members := func() map[string]any {
		made := map[string]any{}
		for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
			_, _ = random.Read(noise)
			made[name] = base64.StdEncoding.EncodeToString(noise)
		}
		return made
	}
	fake.spoil = func(answer map[string]any) {
		all, _ := answer["items"].([]any)
		first, _ := all[0].(map[string]any)
		if _, isAudit := first["change_id"]; !isAudit {
			return
		}
		var many []any
		for range 50 {
			item := map[string]any{}
			for name, value := range first {
				item[name] = value
			}
			item["before"], item["after"] = members(), members()
			many = append(many, item)
		}
		answer["items"] = many
	}
	v := newConsole(t, fake.url)
	loaded := v.get("/settings/audit", http.StatusOK)
	loaded.has(t, "This page has no room for it", "since=2026-03-02T11%3A57%3A00Z", "until=2026-03-02T11%3A57%3A00.001Z")
	if size := sizeOf(t, v.url+"/settings/audit?wait=1"); size > 70<<10 {
		t.Errorf("%d bytes", size)
	}
}

func TestEveryEntryOfTheNavigationIsInSightOnAPhone(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, settledShop()).url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 390, Height: 844})
	tab.Do(chromedp.Navigate(v.url+"/settings/tokens"), chromedp.WaitVisible("h1"))
	hidden := browser.Evaluate[[]string](tab, `[...document.querySelectorAll(".top nav a")].filter((a) => {
		const at = a.getBoundingClientRect();
		return at.left < 0 || at.right > innerWidth || document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2) !== a;
	}).map((a) => a.innerText)`)
	if len(hidden) > 0 {
		t.Errorf("not in sight: %q", hidden)
	}
	if here := browser.Evaluate[string](tab, `document.querySelector(".top nav [aria-current]").innerText`); here != "Settings" {
		t.Error(here)
	}
}
