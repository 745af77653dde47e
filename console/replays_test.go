package console_test

import (
	"html"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

func TestReplaysAreListedAndLookedAtAgainWhileOneRuns(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	loaded := v.get("/replays?source="+shopID+"&environment=production", http.StatusOK)
	loaded.has(t, `<progress max="100" value="41.87`, "41.9%", "91 s left", "18,250 a second", `data-refresh="3"`, "Order Completed, Order Refunded",
		`<span class="badge wait">running</span>`, `<span class="badge bad">failed</span>`, "forced", "cursor=page-2")
	asked, _ := url.ParseQuery(fake.requests("GET", "/replays")[0].query)
	if asked.Get("source") != shopID || asked.Get("environment") != "production" || asked.Get("limit") != "50" {
		t.Errorf("asked for %v", asked)
	}
	v.get("/replays?state=completed", http.StatusOK).hasNot(t, "data-refresh", ">running</span>")
	v.get("/replays?state=completed", http.StatusOK).has(t, `<option value="completed" selected>`)
	fake.change(func() { fake.world.replays = nil })
	v.get("/replays", http.StatusOK).has(t, "There is no replay yet", "repair events that failed", `href="/replays/new"`)
	v.get("/replays?state=failed", http.StatusOK).has(t, "No replay matches")
}

func TestReplayThatHasNotBegunSaysSo(t *testing.T) {
	world := busyShop()
	world.replays[0].Progress = &api.ReplayProgress{ReplayProgress: schemas.ReplayProgress{Errors: map[string]int64{}}}
	v := newConsole(t, newFakeAPI(t, world).url)
	for _, path := range []string{"/replays?state=running", "/replays/rpl_running"} {
		loaded := v.get(path, http.StatusOK)
		loaded.has(t, "waits for its turn")
		loaded.hasNot(t, "<progress")
	}
}

func TestPageOfAReplayTellsWhatCameOfIt(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/replays/rpl_running", http.StatusOK).has(t, "1,204,000 of 2,875,411 records", "40,133", "240,800", `href="/runs?replay=rpl_running"`,
		`data-refresh="2"`, `action="/replays/rpl_running/pause"`, `action="/replays/rpl_running/cancel"`, `href="/triggers/`+orderID+`"`)
	completed := v.get("/replays/rpl_completed", http.StatusOK)
	completed.has(t, "recipients: data.recipientId is missing", "412", "cannot compare &lt;nil&gt;", "424", "data.total &gt; 100", "status=failed")
	completed.hasNot(t, "data-refresh", "<form method", "Pause")
	failed := v.get("/replays/rpl_failed", http.StatusOK)
	failed.has(t, "It could not go on", "the topic is another one since", "another one makes all runs anew")
	paused := v.get("/replays/rpl_paused", http.StatusOK)
	paused.has(t, "It was paused by itself", "does not know what was decided", `action="/replays/rpl_paused/resume"`)
	paused.hasNot(t, `/pause"`)
	v.get("/replays/rpl_none", http.StatusNotFound)
	fake.change(func() { fake.world.replays[2].EndedAt = time.Now() }) // its last counts may still come
	v.get("/replays/rpl_completed", http.StatusOK).has(t, `data-refresh="2"`)
}

func TestErrorsOfAReplayAreBounded(t *testing.T) {
	world := busyShop()
	for i := range 60 {
		world.replays[2].Progress.Errors[strings.Repeat("x", i+1)] = int64(i + 1)
	}
	v := newConsole(t, newFakeAPI(t, world).url)
	loaded := v.get("/replays/rpl_completed", http.StatusOK)
	loaded.has(t, "44 other reasons", "2,254") // of them all
	loaded.hasNot(t, "<td class=\"reason\">xx</td>")
}

func TestReplayIsChangedAtTheRevisionThatWasSeen(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	for change, notice := range map[string]string{"pause": "The replay is paused", "resume": "goes on where it was", "cancel": "The replay is cancelled"} {
		answered := v.post("/replays/rpl_running/"+change, url.Values{"revision": {"2"}}, http.StatusSeeOther)
		if asked := fake.requests("POST", "/replays/rpl_running/"+change); len(asked) != 1 || asked[0].revision != `"2"` {
			t.Errorf("%s: asked %+v", change, asked)
		}
		v.get(answered.header.Get("Location"), http.StatusOK).has(t, notice)
	}
	fake.change(func() {
		fake.refuse["POST /replays/rpl_running/pause"] = refusal{412, "stale", "If-Match", "revision 2 is wanted and 3 is there"}
		fake.refuse["POST /replays/rpl_running/cancel"] = refusal{409, "in_use", "", "replay rpl_running is completed and cannot be cancelled"}
	})
	v.post("/replays/rpl_running/pause", url.Values{"revision": {"2"}}, http.StatusPreconditionFailed).has(t, "has changed since this page was loaded", "How far it is")
	v.post("/replays/rpl_running/cancel", url.Values{"revision": {"2"}}, http.StatusConflict).has(t, "is completed and cannot be cancelled")
}

func TestWhoMayOnlyReadCanMakeDryRunsAndChangeNothing(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.tokens = twoTokens()
	v := newConsole(t, fake.url).logIn(readToken)
	v.get("/replays/rpl_running", http.StatusOK).hasNot(t, `method="post" action="/replays/`)
	form := v.get(newReplayPath, http.StatusOK)
	form.has(t, "data-dryrun", "takes one that may write")
	form.hasNot(t, `formaction="/replays"`)
	found := v.post("/replays/dry-run", repair(), http.StatusOK)
	found.has(t, "Runs to create")
	found.hasNot(t, "Start this replay")
	v.post("/replays", repair(), http.StatusForbidden)
}

// repair is the form of a replay that repairs events.
func repair() url.Values {
	return url.Values{
		"source": {shopID}, "environment": {"production"}, "from": {"24h"}, "to": {"now"}, "events": {"Order Completed", ""}, "statuses": {"failed"},
		"where": {"data.total > 100"}, "triggers": {orderID}, "rate": {"1,000"}, "force": {"on"}, "key": {"k-1"},
	}
}

func TestReplayIsStartedOnceHoweverOftenItIsPressed(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	for range 2 {
		if to := v.post("/replays", repair(), http.StatusSeeOther).header.Get("Location"); to != "/replays/rpl_running?done=replay-started" {
			t.Error(to)
		}
	}
	asked := fake.requests("POST", "/replays")
	if len(asked) != 2 || asked[0].key != "k-1" || asked[1].key != "k-1" || asked[0].body != asked[1].body {
		t.Errorf("asked %+v", asked)
	}
	body, _ := fake.sent("POST", "/replays")
	want := map[string]any{
		"source": shopID, "environment": "production", "from": "24h", "to": "now", "events": []any{"Order Completed"}, "statuses": []any{"failed"},
		"where": "data.total > 100", "triggers": []any{orderID}, "rate": 1000.0, "force": true,
	}
	if !reflect.DeepEqual(body, want) {
		t.Errorf("sent %v, want %v", body, want)
	}
	v.post("/replays", url.Values{"source": {"shop"}, "environment": {"production"}, "from": {"1h"}, "triggers": {orderID}}, http.StatusSeeOther)
	body, _ = fake.sent("POST", "/replays")
	if want := map[string]any{"source": "shop", "environment": "production", "from": "1h", "to": "", "triggers": []any{orderID}, "force": false}; !reflect.DeepEqual(body, want) {
		t.Errorf("sent %v, want %v", body, want)
	}
}

func TestFormOfAReplayIsFilledFromItsAddress(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/replays/new", http.StatusOK).has(t, `value="24h"`, `value="now"`, "Choose a source and an environment first")
	v.get(newReplayPath+"&force=true&from=1h", http.StatusOK).has(t, `value="Order Completed"`, `value="failed" checked`, `value="1h"`, `data.total &gt; 100</textarea>`,
		`value="`+orderID+`" checked`, `name="force" value="on" checked`, `<option value="`+shopID+`" selected>`, "big-order", `<span class="badge idle">inactive</span>`)
	// Both can be named, and what is named and does not exist is seen.
	v.get("/replays/new?source=shop&environment=production&trigger=confirm-order&trigger=trg_gone", http.StatusOK).
		has(t, `<option value="`+shopID+`" selected>`, `value="`+orderID+`" checked`, `value="trg_gone" checked`, "not of this source and environment")
	keys := map[string]bool{}
	for range 2 {
		_, after, _ := strings.Cut(v.get(newReplayPath, http.StatusOK).body, `name="key" value="`)
		key, _, _ := strings.Cut(after, `"`)
		keys[key] = true
	}
	if len(keys) != 2 || keys[""] {
		t.Errorf("two forms have the keys %v", keys)
	}
}

func TestReplayAgainHasTheSameSettings(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	_, after, _ := strings.Cut(v.get("/replays/rpl_completed", http.StatusOK).body, `href="/replays/new?`)
	settings, _, _ := strings.Cut(after, `"`)
	form := v.get("/replays/new?"+html.UnescapeString(settings), http.StatusOK)
	form.has(t, `value="2026-02-26T08:00:00Z"`, `value="2026-03-01T08:00:00Z"`, `value="failed" checked`, `value="`+orderID+`" checked`, `value="500"`, "data.currency ==")
}

func TestFaultsOfAReplayStandAtItsInputs(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	for _, field := range []string{"source", "environment", "from", "to", "events.0", "where", "statuses.0", "triggers.0", "rate"} {
		fake.change(func() { fake.refuse["POST /replays"] = refusal{422, "invalid", field, "that cannot be"} })
		input, _, _ := strings.Cut(field, ".")
		v.post("/replays", repair(), http.StatusUnprocessableEntity).has(t, `id="`+input+`-error">That cannot be.`, `name="key" value="k-1"`, `value="`+orderID+`" checked`)
	}
	fake.change(func() {
		fake.refuse["POST /replays"] = refusal{409, "in_use", "", "20 replays have not ended, which is the limit; wait for one of them or cancel it"}
	})
	v.post("/replays", repair(), http.StatusConflict).has(t, `role="alert">20 replays have not ended`)
}
