package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/rig/browser"
)

func TestSearchAmongRunsIsTheAddressOfThePage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	search := url.Values{
		"source": {shopID}, "environment": {"production"}, "workflow": {"welcome"}, "status": {"dead"}, "recipient": {"ada"}, "tenant": {"acme"},
		"trigger": {orderID}, "event_id": {eventID}, "replay": {"rpl_1"}, "since": {"1h"}, "until": {"5m"},
	}
	v.get("/runs?"+search.Encode()+"&limit=9999", http.StatusOK).has(t, `value="welcome"`, `<option value="dead" selected>`, `value="rpl_1"`)
	asked, _ := url.ParseQuery(fake.requests("GET", "/runs")[0].query)
	search.Set("limit", "50")
	if asked.Encode() != search.Encode() {
		t.Errorf("asked for %s, want %s", asked.Encode(), search.Encode())
	}
	f := func(path, want string) {
		t.Helper()
		v.get(path, http.StatusOK)
		all := fake.requests("GET", "/runs")
		if got, _ := url.ParseQuery(all[len(all)-1].query); got.Get("since") != want {
			t.Errorf("%s asks since %q, want %q", path, got.Get("since"), want)
		}
	}
	f("/runs", "24h")
	f("/runs?event_id="+eventID, "") // it may be as old as the log
	f("/runs?replay=rpl_1", "")
}

func TestRunsLeadToAllThatBelongsToThem(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/runs", http.StatusOK).has(t, `href="/runs/`+runID+`"`, `href="/events/`+eventID+`"`, `<a href="/triggers/`+orderID+`">confirm-order</a>`,
		`grace <span class="faint">and 2 more</span>`, `<span class="badge good">delivered</span>`)
	fake.change(func() { fake.refuse["GET /triggers/"+orderID] = refusal{404, "not_found", "", "it was deleted"} })
	v.get("/runs", http.StatusOK).has(t, `<a href="/triggers/`+orderID+`">`+orderID+`</a>`)
	v.get("/events/"+eventID, http.StatusOK).has(t, `href="/runs/`+runID+`"`)
	fake.change(func() { fake.world = emptyShop() })
	v.get("/runs", http.StatusOK).has(t, "No run matches.")
	v.get("/dead-letters", http.StatusOK).has(t, "No dead letter matches.")
}

func TestListsOfRunsDoNotKeepTheirPagesWaiting(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.slow = map[string]bool{"/runs": true, "/dead-letters": true}
	v := newConsole(t, fake.url)
	for _, path := range []string{"/runs", "/dead-letters", "/dead-letters/resend?environment=production"} {
		loaded := v.send(http.MethodGet, path, nil, nil)
		loaded.has(t, "Loading…", `data-refresh="0"`, `<noscript><meta http-equiv="refresh"`)
		loaded.hasNot(t, `<button class="primary">Send`) // before anybody knows what
	}
}

func TestPageOfARunTellsEverything(t *testing.T) {
	world := busyShop()
	v := newConsole(t, newFakeAPI(t, world).url)
	v.get("/runs/"+runID, http.StatusOK).has(t, "Run of order-confirmation", "the workflow API answered 503", "wr_2vTq8bJm", "43 ms",
		"&#34;order&#34;: &#34;90210&#34;", `href="/events/`+eventID+`"`, "confirm-order")
	v.get("/runs/"+runID, http.StatusOK).hasNot(t, "Send again", "Dead letter", "data-refresh")
	dead := v.get("/runs/"+deadID, http.StatusOK)
	dead.has(t, "Send again", "401 Unauthorized", "The API key is not valid for this environment", "attempt no. 12")
	if to := v.send(http.MethodGet, "/dead-letters/"+deadID, nil, nil).header.Get("Location"); to != "/runs/"+deadID {
		t.Errorf("the page of a dead letter leads to %q", to)
	}
	v.get("/runs/"+firstID, http.StatusNotFound).has(t, "There is no such thing here")
}

func TestPageOfARunIsMadeOfItsDeadLetterWhereNothingElseIsLeft(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["GET /runs/"+deadID] = refusal{404, "not_found", "", "it has expired"}
	v := newConsole(t, fake.url)
	v.get("/runs/"+deadID, http.StatusOK).has(t, "has left the event log", "Send again", "&#34;order&#34;: &#34;90210&#34;", `<span class="badge bad">dead</span>`)
	fake.change(func() {
		fake.refuse["GET /dead-letters/"+deadID] = refusal{503, "unavailable", "", "the event log did not answer"}
	})
	v.get("/runs/"+deadID, http.StatusServiceUnavailable)
}

func TestPageOfARunLooksAgainUntilItIsDecided(t *testing.T) {
	world := busyShop()
	world.events[0].ReceivedAt = time.Now()
	for i := range world.events {
		world.events[i].ReceivedAt = time.Now()
	}
	v := newConsole(t, newFakeAPI(t, world).url)
	for _, run := range world.knownRuns() {
		letters := map[string]query.DeadLetterState{}
		for _, letter := range world.deadLetters() {
			letters[letter.RunID] = letter.State
		}
		want := run.Status == query.Pending || run.Status == query.Retrying || letters[run.ID] == query.Resent
		if got := strings.Contains(v.get("/runs/"+run.ID, http.StatusOK).body, `data-refresh="2"`); got != want {
			t.Errorf("a run that is %s, its dead letter %q: looks again is %v", run.Status, letters[run.ID], got)
		}
	}
	old := newConsole(t, newFakeAPI(t, busyShop()).url) // nothing happens there any more
	for _, run := range busyShop().knownRuns()[:6] {
		old.get("/runs/"+run.ID, http.StatusOK).hasNot(t, `data-refresh="2"`)
	}
}

func TestPageOfARunWithALotIsBounded(t *testing.T) {
	world := busyShop()
	big := json.RawMessage(`"` + strings.Repeat("r", 400<<10) + `"`)
	fake := newFakeAPI(t, world)
	fake.spoil = func(answer map[string]any) {
		for _, name := range []string{"actor", "tenant", "data"} {
			if _, has := answer[name]; has {
				answer[name] = big
			}
		}
		if attempts, isList := answer["attempts"].([]any); isList && len(attempts) > 0 {
			for range 400 {
				answer["attempts"] = append(answer["attempts"].([]any), attempts[0])
			}
		}
	}
	v := newConsole(t, fake.url)
	v.get("/runs/"+runID, http.StatusOK).has(t, "382 earlier attempts are not shown")
	if size := sizeOf(t, v.url+"/runs/"+runID); size > 100<<10 {
		t.Errorf("%d bytes are transferred", size)
	}
}

// resends returns what was asked to be sent again.
func resends(t *testing.T, fake *fakeAPI) []api.ResendRequest {
	t.Helper()
	var all []api.ResendRequest
	for _, request := range fake.requests("POST", "/dead-letters/resend") {
		var in api.ResendRequest
		if err := json.Unmarshal([]byte(request.body), &in); err != nil {
			t.Fatal(err)
		}
		all = append(all, in)
	}
	return all
}

func TestAllDeadLettersOfAPageAreChosenAtOnce(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(v.url+"/dead-letters?state=open&wait=1"), chromedp.Click("[data-all]"))
	tab.Await(`document.querySelector("[data-chosen]").innerText === "Send 6 chosen again"`)
	tab.Do(chromedp.Click("tbody input[name=run_ids]"))
	tab.Await(`document.querySelector("[data-chosen]").innerText === "Send 5 chosen again" && document.querySelector("[data-all]").indeterminate`)
	tab.Do(chromedp.Click("[data-chosen]"))
	tab.Await(`document.querySelector("[role=status]")?.innerText.startsWith("5 runs were sent again")`)
	if sent := resends(t, fake); len(sent) != 1 || len(sent[0].RunIDs) != 5 {
		t.Errorf("%+v", sent)
	}
	if problems := tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}
