package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

func TestFirstVisitSaysWhatToDoNext(t *testing.T) {
	fake := newFakeAPI(t, emptyShop())
	v := newConsole(t, fake.url)
	v.get("/", http.StatusOK).has(t, "No event has come yet", "curl -i &#39;https://events.example.com/v1/receive/c2hvcC1kZXZlbG9wbWVudC1lbmRwb2lu&#39;")
	fake.change(func() { fake.world.sources = nil })
	v.get("/", http.StatusOK).has(t, "No event has come yet", `href="/sources/new"`)
	fake.change(func() { fake.world = busyShop() })
	v.get("/", http.StatusOK).hasNot(t, "No event has come yet")
}

func TestOverviewShowsWhatItCanWhenAPartFails(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["GET /analytics/series"] = refusal{503, "too_slow", "", "the event log took too long"}
	v := newConsole(t, fake.url)
	v.get("/", http.StatusOK).has(t, "the event log took too long", "88,213", "order-confirmation", "8.1%", "1,470 a minute",
		`<a href="/logs?status=duplicate&amp;since=1h">7,102 repeats dropped</a>`, `<a href="/dead-letters?since=1h&amp;workflow=order-confirmation">2</a>`,
		"<dt>Failures</dt><dd>100</dd>", `<a href="/dead-letters?since=1h">2 runs given up</a>`)
	fake.change(func() {
		for _, path := range []string{"/events", "/analytics/dedup", "/analytics/latency", "/rejections", "/sources"} {
			fake.refuse["GET "+path] = refusal{503, "unavailable", "", "the catalog or the event log did not answer; try again"}
		}
	})
	v.get("/", http.StatusOK).has(t, "did not answer", `<span class="badge bad">down</span>`)
}

func TestOverviewTellsWhenTheProcessorIsBehind(t *testing.T) {
	world := busyShop()
	world.events[3].Status = ""
	v := newConsole(t, newFakeAPI(t, world).url)
	v.get("/", http.StatusOK).has(t, "1 of the last 50 events wait for a decision", `<span class="badge warn">behind</span>`, "1 events wait</a>")
	world.events[3].ReceivedAt = time.Now() // it has just come
	newConsole(t, newFakeAPI(t, world).url).get("/", http.StatusOK).has(t, "has decided on all of the latest 50 events", "<dd>10 ms</dd>", "slowest of the latest 50: 14 ms")
}

func TestSearchIsTheAddressOfThePage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	search := url.Values{
		"source": {shopID}, "environment": {"production"}, "event": {"Order Completed"}, "status": {"failed"}, "user_id": {"ada"},
		"message_id": {"order-1"}, "q": {"tea"}, "where": {"properties.total>100", "properties.coupon exists"}, "since": {"1h"}, "until": {"5m"},
	}
	loaded := v.get("/logs?"+search.Encode()+"&limit=9999&after=x", http.StatusOK)
	asked, _ := url.ParseQuery(fake.requests("GET", "/events")[0].query)
	search.Set("limit", "50")
	if asked.Encode() != search.Encode() {
		t.Errorf("asked for %s, want %s", asked.Encode(), search.Encode())
	}
	loaded.has(t, `value="Order Completed"`, `value="ada"`, `value="properties.coupon exists"`, `<option value="failed" selected>`, "cursor=page-2")
	v.get("/logs?cursor=page-2", http.StatusOK).has(t, ">Newest</a>")
	if last := fake.requests("GET", "/events")[1].query; !strings.Contains(last, "cursor=page-2") || !strings.Contains(last, "since=24h") {
		t.Errorf("asked for %s", last)
	}
}

func TestFaultOfASearchStandsAtItsInput(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["GET /events"] = refusal{400, "invalid_filter", "where", "where: give an operator"}
	v := newConsole(t, fake.url)
	v.get("/logs?where=total", http.StatusBadRequest).has(t, `aria-describedby="where-error"`, "Where: give an operator.", `value="total"`)
	fake.change(func() { fake.refuse["GET /events"] = refusal{400, "invalid_filter", "since", "since: no time"} })
	v.get("/logs?since=x", http.StatusBadRequest).has(t, `id="since-error"`, `value="x"`)
}

func TestEventPageTellsEveryStep(t *testing.T) {
	world := busyShop()
	world.detail.Decision.Status, world.detail.Status, world.detail.Notes = schemas.Duplicate, schemas.Duplicate, []string{"messageId was ignored"}
	world.detail.Timeline = append(world.detail.Timeline, query.Step{At: noon().Add(time.Hour), Step: query.Deduplicated, Outcome: "duplicate", DuplicateOf: firstID})
	v := newConsole(t, newFakeAPI(t, world).url)
	v.get("/events/"+eventID, http.StatusOK).has(t,
		"condition false", "data.total &gt; 500 is false", "the workflow API answered 503", "+1.2 s", "wr_2vTq8bJm", "messageId was ignored",
		`href="/events/`+firstID+`"`, "&#34;sku&#34;: &#34;TEA-42&#34;", `datetime="2026-03-02T12:00:00Z" title="2026-03-02 12:00:00.000 UTC"`)
	v.get("/events/"+firstID, http.StatusNotFound).has(t, "There is no such thing here")
}

func TestEventPageLooksAgainUntilEverythingHasHappened(t *testing.T) {
	world := busyShop()
	world.detail.ReceivedAt = time.Now()
	fake := newFakeAPI(t, world)
	v := newConsole(t, fake.url)
	f := func(more bool, change func(*api.Event)) {
		t.Helper()
		fake.change(func() {
			fake.world.detail = orderCompleted(world.events[0])
			fake.world.detail.ReceivedAt = time.Now()
			change(&fake.world.detail)
		})
		if loaded := v.get("/events/"+eventID, http.StatusOK); strings.Contains(loaded.body, `data-refresh="2"`) != more {
			t.Errorf("looks again: %v\n%s", !more, loaded.body)
		}
	}
	f(false, func(*api.Event) {})
	f(true, func(event *api.Event) { event.Decision = nil })
	f(true, func(event *api.Event) { event.Runs, event.Attempts = []query.RunItem{}, []query.Attempt{} }) // decided on, not there yet
	f(true, func(event *api.Event) { event.Runs[0].Status = query.Pending })
	f(true, func(event *api.Event) { event.Runs[0].Status = query.Retrying })
	f(false, func(event *api.Event) { event.Decision, event.ReceivedAt = nil, time.Now().Add(-2*time.Hour) }) // that may take long
}

func TestLongBodiesAreCutAndCanBeDownloaded(t *testing.T) {
	world := busyShop()
	world.detail.Body = `{"note":"` + strings.Repeat("é", 200<<10) + `"}`
	v := newConsole(t, newFakeAPI(t, world).url)
	loaded := v.get("/events/"+eventID, http.StatusOK)
	loaded.has(t, "It is long", "/body\">Download</a>")
	if len(loaded.body) > 100<<10 || strings.Contains(loaded.body, "\uFFFD") {
		t.Errorf("%d bytes", len(loaded.body))
	}
	if got := v.get("/events/"+eventID+"/body", http.StatusOK).body; got != world.detail.Body {
		t.Errorf("%d bytes were downloaded, want %d", len(got), len(world.detail.Body))
	}
}

func TestFailuresHavePagesOfTheirOwn(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/nowhere", http.StatusNotFound).has(t, "leads nowhere", `aria-label="Pages"`)
	v.get("/sources/nothing", http.StatusNotFound).has(t, "There is no such thing here")
	fake.change(func() {
		fake.refuse["DELETE /sources/"+shopID] = refusal{409, "in_use", "", "3 triggers are bound to it; delete them first"}
	})
	v.post("/sources/"+shopID+"/delete", nil, http.StatusConflict).has(t, "That is still in use", "3 triggers are bound to it")
	fake.server.Close()
	v.get("/sources", http.StatusBadGateway).has(t, "The management API does not answer")
}

func TestPageOfAnEventWithALotIsBounded(t *testing.T) {
	world := busyShop()
	run, attempt, step := world.detail.Runs[0], world.detail.Attempts[0], world.detail.Timeline[5]
	attempt.Response = strings.Repeat("r", 4<<10)
	large := run
	large.Data = json.RawMessage(`{"note":"` + strings.Repeat("d", 100<<10) + `"}`)
	for i := range 400 {
		if i == 40 { // more than the page shows; the fake needs long to hold megabytes against the document
			large = run
		}
		world.detail.Runs = append(world.detail.Runs, large)
		world.detail.Attempts = append(world.detail.Attempts, attempt)
		world.detail.Timeline = append(world.detail.Timeline, step)
	}
	world.detail.UserID = strings.Repeat("u", 400<<10)
	v := newConsole(t, newFakeAPI(t, world).url)
	v.get("/events/"+eventID, http.StatusOK).has(t, "381 more runs are not shown", "382 earlier attempts are not shown")
	if size := sizeOf(t, v.url+"/events/"+eventID); size > 100<<10 {
		t.Errorf("%d bytes are transferred", size)
	}
}

func TestPageDoesNotWaitForPartsThatTakeLong(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.slow = map[string]bool{"/analytics/series": true, "/rejections": true}
	v := newConsole(t, fake.url)
	f := func(path, here string) {
		t.Helper()
		loaded := v.send(http.MethodGet, path, nil, nil)
		if loaded.status != http.StatusOK {
			t.Errorf("%s: %d", path, loaded.status)
		}
		loaded.has(t, here, "Loading…", `data-refresh="0"`)
		if !strings.Contains(loaded.body, `<noscript><meta http-equiv="refresh" content="0; url=`+strings.Split(path, "?")[0]+`?`) {
			t.Errorf("%s: without a script the rest would never come", path)
		}
	}
	f("/", "Health")
	f("/?since=24h", "Health")
	f("/sources", "The web shop")
	f("/sources/"+shopID, "Endpoint URL")
	f("/refused", "Refused requests")
}

func TestNamesOfEventsAreSuggested(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	want := `["App Opened","Cart Abandoned","Order Completed","Order Refunded","Product Viewed","Signed Up"]`
	if got := v.get("/logs/names", http.StatusOK).body; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
