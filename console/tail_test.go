package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig/browser"
)

// stream reads server-sent events until it has seen one that contains text, and returns all that came.
func (v visit) stream(path, text string, header http.Header) string {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), browser.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Type") != "text/event-stream" {
		v.t.Fatalf("%s: %v", response.Status, response.Header)
	}
	var came strings.Builder
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		came.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			return came.String()
		}
	}
	v.t.Fatalf("the stream ended without %q:\n%s", text, came.String())
	return ""
}

func TestLiveViewSendsRowsAsThePageHasThem(t *testing.T) {
	world := busyShop()
	world.events[1].Event, world.events[2].Status = "<script>\ndata: x</script>", ""
	fake := newFakeAPI(t, world)
	v := newConsole(t, fake.url)
	came := v.stream("/logs/live?event=Order&since=24h&status=", "id: after-3", nil)
	if strings.Count(came, "event: row\n") != 3 || strings.Contains(came, "<script>") || strings.Contains(came, "\ndata: x") {
		t.Errorf("what came is\n%s", came)
	}
	first, _ := url.ParseQuery(fake.requests("GET", "/events")[0].query)
	if first.Get("after") == "" || first.Get("event") != "Order" || first.Has("since") {
		t.Errorf("asked for %v", first)
	}
	// What came undecided comes again when it is decided; and a browser that lost its connection goes on where it was.
	fake.change(func() { fake.world.events[2].Status = "failed" })
	came = v.stream("/logs/live", "event: alive", http.Header{"Last-Event-Id": {"after-3"}})
	if strings.Contains(came, "event: row") {
		t.Errorf("an event came twice:\n%s", came)
	}
}

func TestLiveViewOfAnOutcomeWaitsForIt(t *testing.T) {
	world := busyShop()
	world.events[0].Status, world.events[1].Status, world.events[2].Status = "", "", "processed"
	fake := newFakeAPI(t, world)
	v := newConsole(t, fake.url)
	fake.answered = func(path string) { // as soon as the live view knows of them
		if path == "/events" {
			fake.world.events[0].Status, fake.world.events[1].Status = "failed", "processed"
		}
	}
	came := v.stream("/logs/live?status=failed", "event: decided", nil)
	if strings.Contains(came, "event: row") {
		t.Errorf("what came is\n%s", came)
	}
	for _, asked := range fake.requests("GET", "/events") {
		if strings.Contains(asked.query, "status") {
			t.Errorf("asked for %s", asked.query)
		}
	}
}

func TestLiveViewTellsWhyItEnds(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["GET /events"] = refusal{400, "invalid_filter", "where", "where: give an operator"}
	v := newConsole(t, fake.url)
	if came := v.stream("/logs/live?where=x", "where: give an operator", nil); !strings.Contains(came, "event: failed") {
		t.Error(came)
	}
}

func TestLiveViewsAreBounded(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	const places = 100
	for range places {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/logs/live", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := v.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
	}
	v.get("/logs/live", http.StatusServiceUnavailable).has(t, "too many live views")
	v.get("/logs", http.StatusOK)
}
