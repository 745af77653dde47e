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

func TestPageOfATriggerTellsWhatItIs(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/triggers/"+orderID, http.StatusOK).has(t,
		"confirm-order", "Thanks the buyer", "order-confirmation", `href="/sources/`+shopID+`">shop</a>`, `href="/triggers/`+orderID+`/edit"`,
		`href="/logs?environment=production&amp;event=Order&#43;Completed&amp;source=`+shopID+`"`, "data.total &gt; 100 &amp;&amp;\ndata.currency",
		`<code>user_id</code> <span class="faint">path</span>`, `actor</th><td><span class="faint">left out</span>`,
		`<code>&#34;shop-eu&#34;</code> <span class="faint">literal</span>`, `data.quantity</th><td><code>sum(data.items, .quantity)</code> <span class="faint">computed</span>`)
	v.get("/triggers/"+cartID, http.StatusOK).has(t, "None: every event", `<code>user_id</code> <span class="faint">default</span>`, `all properties <span class="faint">default</span>`)
	v.get("/triggers/trg_none", http.StatusNotFound).has(t, "There is no such thing here")
}

func TestPageOfATriggerTellsWhatItDid(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	loaded := v.get("/triggers/"+orderID, http.StatusOK)
	loaded.has(t, "60,336", "43,536", "72.2% of them", "16,548", `<div class="bad"><dt>Mapping error</dt><dd>180</dd>`, `class="bars"`, `class="bar a2"`,
		`href="/runs?trigger=`+orderID+`"`, `href="/runs/`+runID+`"`, `<span class="badge good">delivered</span>`,
		`href="/triggers/`+orderID+`/edit?event_id=019524f0-0000-7000-8000-000000000006"`, "Events that failed")
	for _, path := range []string{"/analytics/series", "/runs", "/events"} {
		asked, _ := url.ParseQuery(fake.requests("GET", path)[0].query)
		if asked.Get("trigger") != orderID || asked.Get("environment") != "production" || asked.Get("source") != shopID {
			t.Errorf("%s was asked for %v", path, asked)
		}
		if want := []string{"mapping_error", "condition_error"}; path == "/events" && !reflect.DeepEqual(asked["outcome"], want) {
			t.Errorf("events of outcome %v, want %v", asked["outcome"], want)
		}
	}
	v.get("/triggers/"+cartID, http.StatusOK).has(t, "No event has come to it within a day", "It has started no run", "It has failed on no event")
	fake.change(func() {
		for _, path := range []string{"/analytics/series", "/runs", "/events", "/audit"} {
			fake.refuse["GET "+path] = refusal{503, "too_slow", "", "the event log took too long"}
		}
	})
	loaded = v.get("/triggers/"+orderID, http.StatusOK)
	if loaded.has(t, "Thanks the buyer"); strings.Count(loaded.body, "the event log took too long") != 4 {
		t.Errorf("not every part says that it failed:\n%s", loaded.body)
	}
	slow := newFakeAPI(t, busyShop())
	slow.slow = map[string]bool{"/analytics/series": true, "/runs": true, "/audit": true}
	newConsole(t, slow.url).send(http.MethodGet, "/triggers/"+orderID, nil, nil).has(t, "Thanks the buyer", "Loading…", `id="activity" data-refresh="0"`)
}

func TestTriggerIsCopiedToAnotherEnvironmentFromItsPage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	loaded := v.get("/triggers/"+orderID, http.StatusOK)
	loaded.has(t, `<option value="development">`, `value="confirm-order"`)
	loaded.hasNot(t, `<option value="production">`) // it is there already
	form := url.Values{"environment": {"development"}, "name": {"confirm"}, "revision": {"4"}}
	to := v.post("/triggers/"+orderID+"/copy", form, http.StatusSeeOther).header.Get("Location")
	body, revision := fake.sent("POST", "/triggers/"+orderID+"/copy")
	if to != "/triggers/"+bigOrderID+"?done=trigger-copied" || body["environment"] != "development" || body["name"] != "confirm" || revision != `"4"` {
		t.Errorf("%s with %v of revision %s", to, body, revision)
	}
	v.get(to, http.StatusOK).has(t, "This is the copy. It is inactive", `<span class="badge idle">inactive</span>`)
	fake.change(func() {
		fake.refuse["POST /triggers/"+orderID+"/copy"] = refusal{422, "invalid", "name", "name \"confirm\" is taken in development"}
	})
	v.post("/triggers/"+orderID+"/copy", form, http.StatusUnprocessableEntity).has(t, `id="name-error"`, "is taken in development.", `value="confirm"`, "<details open>")
}

func TestTriggerIsDeletedFromItsPage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/triggers/"+orderID, http.StatusOK).has(t, `<input type="checkbox" id="sure" required>`)
	to := v.post("/triggers/"+orderID+"/delete", url.Values{"revision": {"4"}}, http.StatusSeeOther).header.Get("Location")
	if asked := fake.requests("DELETE", "/triggers/"+orderID); to != "/triggers?done=trigger-deleted" || len(asked) != 1 || asked[0].revision != `"4"` {
		t.Errorf("%s, %v", to, asked)
	}
	v.get(to, http.StatusOK).has(t, "The trigger is deleted.")
}

func TestWhoChangesATriggerTooLateIsShownWhatItIsNow(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	stale := refusal{412, "stale", "If-Match", "revision 3 is wanted and 4 is there"}
	for _, call := range []string{"PATCH /triggers/" + orderID, "DELETE /triggers/" + orderID, "POST /triggers/" + orderID + "/copy"} {
		fake.refuse[call] = stale
	}
	v := newConsole(t, fake.url)
	for _, path := range []string{"/status", "/delete", "/copy", "/revisions/1"} {
		form := url.Values{"revision": {"3"}, "status": {"inactive"}, "at": {"2026-02-01T08:00:00Z"}}
		v.post("/triggers/"+orderID+path, form, http.StatusPreconditionFailed).
			has(t, `role="alert">Somebody else has changed the trigger`, `name="revision" value="4"`, "60,336")
	}
}

func TestWhoMayOnlyReadChangesNoTrigger(t *testing.T) {
	fake, v := guarded(t, busyShop())
	v.logIn(readToken)
	v.get("/triggers/"+orderID, http.StatusOK).has(t, "Your token may not see what changed")
	if len(fake.requests("GET", "/audit")) > 0 {
		t.Error("the audit log was asked for all the same")
	}
	v.post("/triggers/"+orderID+"/status", url.Values{"status": {"inactive"}}, http.StatusForbidden).has(t, "needs a token with the scope write")
	fake.change(func() {
		fake.refuse["GET /audit"] = refusal{403, "forbidden", "", "this needs a token with the scope write"}
	})
	v.post("/triggers/"+orderID+"/revisions/1", url.Values{"at": {"2026-02-01T08:00:00Z"}}, http.StatusForbidden)
	v.get("/triggers/"+goneID, http.StatusNotFound).hasNot(t, "winback")
}

func TestPageOfALongTriggerIsBounded(t *testing.T) {
	world := busyShop()
	long := schemas.Trigger{ID: orderID, Environment: "production", SourceID: shopID, Event: "E", Workflow: "w", Status: schemas.TriggerActive, Revision: 9, CreatedAt: noon(), UpdatedAt: noon()}
	long.Mapping.Data = map[string]json.RawMessage{}
	for i := range 200 {
		long.Mapping.Data[fmt.Sprintf("key%03d", i)] = json.RawMessage(fmt.Sprintf(`{"value":%q}`, strings.Repeat(fmt.Sprintf("é%d", i), 500)))
	}
	world.triggers[0] = long
	for i := range world.audit {
		world.audit[i].ResourceID, world.audit[i].Action, world.audit[i].Before, world.audit[i].After = orderID, schemas.Updated, nil, stateOf(&long)
	}
	v := newConsole(t, newFakeAPI(t, world).url)
	loaded := v.get("/triggers/"+orderID, http.StatusOK)
	loaded.has(t, "rows more are not shown here", "changes more are too long to be shown here")
	loaded.hasNot(t, "\uFFFD")
	if size := sizeOf(t, v.url+"/triggers/"+orderID+"?wait=1"); len(loaded.body) > 160<<10 || size > 50<<10 {
		t.Errorf("%d bytes, of which %d are transferred", len(loaded.body), size)
	}
}
