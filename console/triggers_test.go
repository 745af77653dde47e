package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace/millrace/schemas"
)

func TestTriggersAreListedByEnvironmentWithWhatTheyDid(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	loaded := v.get("/triggers", http.StatusOK)
	loaded.has(t, "confirm-order", "Order Completed", "order-confirmation", "any event", "58,310", "43,120", "74%", `bad" data-label="Errors">98<`,
		"data.total &gt; 100 &amp;&amp; data.currency == &#34;EUR&#34; &amp;&amp; len(data.items) &gt; 0", "user_id !=…", `href="/triggers/new"`)
	var order []string
	for _, found := range regexp.MustCompile(`rowgroup"[^>]*>([^<]+)<|href="/triggers/trg_0+(\d)"`).FindAllStringSubmatch(loaded.body, -1) {
		order = append(order, found[1]+found[2])
	}
	if got := strings.Join(order, " "); got != "development 2 production 3 4 1 5" {
		t.Errorf("listed %s", got)
	}
	counted, _ := url.ParseQuery(fake.requests("GET", "/analytics/dedup")[0].query)
	if len(counted["trigger"]) != 5 || counted.Get("since") != "24h" || counted.Has("environment") || counted.Has("source") {
		t.Errorf("counted %v", counted)
	}
	v.get("/triggers?environment=development", http.StatusOK)
	if counted, _ = url.ParseQuery(fake.requests("GET", "/analytics/dedup")[1].query); counted.Get("environment") != "development" || counted.Get("source") != shopID {
		t.Errorf("counted %v", counted)
	}
}

func TestSearchOfTriggersIsTheAddressOfThePage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	search := url.Values{"environment": {"production"}, "source": {shopID}, "event": {"Order Completed"}, "workflow": {"big-order"}, "status": {"active"}, "text": {"many"}}
	loaded := v.get("/triggers?"+search.Encode()+"&limit=9999", http.StatusOK)
	asked, _ := url.ParseQuery(fake.requests("GET", "/triggers")[0].query)
	if search.Set("limit", "50"); asked.Encode() != search.Encode() {
		t.Errorf("asked for %s, want %s", asked.Encode(), search.Encode())
	}
	loaded.has(t, `<option value="active" selected>`, `value="Order Completed"`, `value="big-order"`, "cursor=page-2", "Next page", "oldest first")
	v.get("/triggers?text=many&cursor=page-2", http.StatusOK).has(t, `href="/triggers?text=many"`, "First page")
	fake.change(func() {
		fake.refuse["GET /triggers"] = refusal{400, "invalid_filter", "status", "status: must be active or inactive"}
	})
	v.get("/triggers?status=asleep", http.StatusBadRequest).has(t, `id="status-error"`, "Status: must be active or inactive.")
}

func TestListWithoutTriggersSaysWhatTheyAreAndWhatToDo(t *testing.T) {
	fake, v := guarded(t, emptyShop())
	v.logIn(writeToken).get("/triggers", http.StatusOK).has(t, "There is no trigger yet", "starts a workflow when an event comes", `href="/triggers/new"`)
	v.get("/triggers?text=x", http.StatusOK).has(t, "No trigger matches")
	if len(fake.requests("GET", "/analytics/dedup")) > 0 {
		t.Error("nothing was counted, and that was asked for")
	}
	v.somebodyElse().logIn(readToken).get("/triggers", http.StatusOK).has(t, "Ask somebody whose token may write")
}

func TestListOfTriggersComesWithoutCountsThatFailOrTakeLong(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["GET /analytics/dedup"] = refusal{503, "too_slow", "", "the event log took too long"}
	newConsole(t, fake.url).get("/triggers", http.StatusOK).has(t, "the event log took too long", "confirm-order", "–")
	slow := newFakeAPI(t, busyShop())
	slow.slow = map[string]bool{"/analytics/dedup": true}
	loaded := newConsole(t, slow.url).send(http.MethodGet, "/triggers", nil, nil)
	loaded.has(t, "confirm-order", "Loading…", `data-refresh="0"`, `<noscript><meta http-equiv="refresh" content="0; url=/triggers?`)
}

func TestTriggerIsSwitchedWhereTheButtonIs(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(form url.Values, status, leadsTo, notice string) {
		t.Helper()
		form.Set("revision", "4")
		form.Set("status", status)
		to := v.post("/triggers/"+orderID+"/status", form, http.StatusSeeOther).header.Get("Location")
		body, revision := fake.sent("PATCH", "/triggers/"+orderID)
		if to != leadsTo || len(body) != 1 || body["status"] != status || revision != `"4"` {
			t.Errorf("%s with %v of revision %s", to, body, revision)
		}
		v.get(to, http.StatusOK).has(t, notice)
	}
	f(url.Values{}, "inactive", "/triggers/"+orderID+"?done=trigger-deactivated", "starts no runs until it is activated again")
	f(url.Values{}, "active", "/triggers/"+orderID+"?done=trigger-activated", "The trigger is active")
	f(url.Values{"back": {""}}, "inactive", "/triggers?done=trigger-deactivated", "starts no runs")
	f(url.Values{"back": {"text=many&cursor=page-2&done=created&next=//evil.example"}}, "inactive", "/triggers?cursor=page-2&done=trigger-deactivated&text=many", "starts no runs")
	v.get("/triggers?text=many&cursor=page-2", http.StatusOK).has(t, `name="back" value="cursor=page-2&amp;text=many"`)
}

func TestPageOfAListOfLongTriggersIsBounded(t *testing.T) {
	world := busyShop()
	for i := range 50 {
		long := shopTriggers()[0]
		long.ID, long.Condition = fmt.Sprintf("trg_%032d", 100+i), "data.note == \""+strings.Repeat(fmt.Sprintf("é%d", i), 1000)+"\""
		world.triggers = append(world.triggers, long)
	}
	v := newConsole(t, newFakeAPI(t, world).url)
	if size := len(v.get("/triggers", http.StatusOK).body); size > 100<<10 {
		t.Errorf("%d bytes", size)
	}
}

func TestEventNamesItsTriggersAndHowToRepairThem(t *testing.T) {
	world := busyShop()
	world.detail = brokenOrder(world.events[0])
	fake := newFakeAPI(t, world)
	fake.tokens = twoTokens()
	v := newConsole(t, fake.url).logIn(writeToken)
	loaded := v.get("/events/"+eventID, http.StatusOK)
	loaded.has(t, `<strong>trigger</strong> <a href="/triggers/`+orderID+`">confirm-order</a> order-confirmation <span class="badge bad">mapping error`, `href="/triggers/`+orderID+"/edit?event_id="+eventID+`"`, "Replay failed events",
		`href="/replays/new?environment=production&amp;event=Order&#43;Completed&amp;source=`+shopID+`&amp;status=failed&amp;trigger=`+orderID+`"`)
	// The other one is of another environment: it is not a trigger of this event any longer.
	loaded.has(t, `<p class="faint mono">`+bigOrderID+`</p>`)
	for _, asked := range fake.requests("GET", "/triggers") {
		if query, _ := url.ParseQuery(asked.query); query.Get("limit") != "200" || query.Get("source") != shopID || query.Get("environment") != "production" || !query.Has("event") {
			t.Errorf("asked for %s", asked.query)
		}
	}
	v.somebodyElse().logIn(readToken).get("/events/"+eventID, http.StatusOK).hasNot(t, "Repair the trigger", "/replays/new")
	fake.change(func() { fake.refuse["GET /triggers"] = refusal{503, "unavailable", "", "the catalog did not answer"} })
	v.get("/events/"+eventID, http.StatusOK).has(t, `<p class="faint mono">`+orderID+`</p>`)
	fake.change(func() {
		delete(fake.refuse, "GET /triggers")
		fake.world.detail = orderCompleted(world.events[0])
		fake.world.triggers[0].Name, fake.world.triggers[0].Event = "", schemas.AnyEvent
	})
	loaded = v.get("/events/"+eventID, http.StatusOK)
	loaded.has(t, `<strong>trigger</strong> <a href="/triggers/`+orderID+`">order-confirmation</a> <span class="badge good">matched`)
	loaded.hasNot(t, "Repair the trigger") // it has not failed
}

func TestSourceLeadsToItsTriggers(t *testing.T) {
	newConsole(t, newFakeAPI(t, busyShop()).url).get("/sources/"+shopID, http.StatusOK).has(t, `href="/triggers?source=`+shopID+`"`)
}
