package console_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// lastAsked is what a path of the API was asked for last.
func (f *fakeAPI) lastAsked(path string) url.Values {
	f.t.Helper()
	asked := f.requests(http.MethodGet, path)
	if len(asked) == 0 {
		f.t.Fatalf("%s was not asked", path)
	}
	values, err := url.ParseQuery(asked[len(asked)-1].query)
	if err != nil {
		f.t.Fatal(err)
	}
	return values
}

func TestQuestionIsTheAddressOfThePage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	question := url.Values{
		"source": {shopID}, "environment": {"production"}, "event": {"Order Completed"}, "status": {"processed"}, "user_id": {"ada"},
		"where": {"properties.total>100", "properties.coupon exists"}, "since": {"3h"}, "until": {"5m"}, "interval": {"hour"}, "by": {"properties.plan"},
	}
	loaded := v.get("/analytics?"+question.Encode()+"&limit=9&cursor=x", http.StatusOK)
	question.Set("top", "8")
	if asked := fake.lastAsked("/analytics/series"); asked.Encode() != question.Encode() {
		t.Errorf("asked for %s, want %s", asked.Encode(), question.Encode())
	}
	loaded.has(t, `value="Order Completed"`, `value="properties.coupon exists"`, `<option value="hour" selected>`, "Events per hour by properties.plan",
		`<a href="/analytics/top?environment=production&amp;event=Order&#43;Completed&amp;`) // tabs keep what they share
	question.Del("top")
	question.Del("interval")
	question.Set("limit", "50")
	v.get("/analytics/top?"+question.Encode(), http.StatusOK)
	if asked := fake.lastAsked("/analytics/top"); asked.Encode() != question.Encode() {
		t.Errorf("asked for %s, want %s", asked.Encode(), question.Encode())
	}
}

func TestStepFitsTheTimeUnlessItIsChosen(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(address, want string) {
		t.Helper()
		v.get("/analytics?"+address, http.StatusOK)
		if got := fake.lastAsked("/analytics/series").Get("interval"); got != want {
			t.Errorf("%s: by the %s, want %s", address, got, want)
		}
	}
	f("", "hour")
	f("since=1h", "minute")
	f("since=168h", "hour")
	f("since=720h", "day")
	f("since=720h&until=719h", "minute")
	f("since=2026-03-02T00:00:00Z&until=2026-03-02T02:00:00Z", "minute")
	f("since=720h&interval=hour", "hour")
}

func TestLegendLeadsToTheEventsThatItCounts(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(by, name string, want url.Values) {
		t.Helper()
		want.Set("since", "1h")
		link := `<a href="/logs?` + strings.ReplaceAll(strings.ReplaceAll(want.Encode(), "+", "&#43;"), "&", "&amp;") + `">` + name + `</a>`
		link = strings.ReplaceAll(link, "&amp;#43;", "&#43;")
		v.get("/analytics?since=1h&where=properties.total%3E1&by="+by, http.StatusOK).has(t, link)
	}
	total := "properties.total>1"
	f("event", "Order Completed", url.Values{"where": {total}, "event": {"Order Completed"}})
	f("status", "no trigger", url.Values{"where": {total}, "status": {"no_trigger"}})
	f("source", "mobile", url.Values{"where": {total}, "source": {mobileID}})
	f("user", "grace", url.Values{"where": {total}, "user_id": {"grace"}})
	f("properties.plan", "team", url.Values{"where": {total, `properties.plan="team"`}})
	f("properties.plan", "100", url.Values{"where": {total, "properties.plan=100"}}) // a number, or a text that looks like one
	f("properties.plan", "none", url.Values{"where": {total, "properties.plan missing"}})
	loaded := v.get("/analytics?by=properties.plan", http.StatusOK)
	loaded.has(t, `</span>all others <span`)
	v.get("/analytics?by=all", http.StatusOK).has(t, "Events per hour</h2>")
	if asked := fake.lastAsked("/analytics/series"); asked.Has("by") {
		t.Error(asked)
	}
}

func TestRefusalOfAQuestionStandsAtItsInput(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(page, call, field, message string) {
		t.Helper()
		fake.change(func() { fake.refuse["GET /analytics/"+call] = refusal{400, "invalid_filter", field, message} })
		v.get(page, http.StatusBadRequest).has(t, `id="`+field+`-error"`, message+".", "What to mend stands at its input above.")
	}
	f("/analytics?by=plan", "series", "by", "Must be a property")
	f("/analytics?since=720h&interval=minute", "series", "interval", "These are 43200 steps")
	f("/analytics?where=total", "series", "where", "Give an operator")
	f("/analytics/top?limit=9999", "top", "limit", "Must be a number from 1 to 500")
	f("/analytics/deliveries?since=x", "latency", "since", "Give a time")
	f("/analytics/matching?until=x", "dedup", "until", "Give a time")
	loaded := v.send(http.MethodGet, "/analytics/top.csv?limit=9999", nil, nil)
	if loaded.status != http.StatusBadRequest || loaded.header.Get("Content-Disposition") != "" {
		t.Errorf("%d %v", loaded.status, loaded.header)
	}
}

func TestAnalyticsComeLaterWhereCountingTakesLong(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.slow = map[string]bool{"/analytics/series": true, "/analytics/top": true, "/analytics/latency": true, "/analytics/dedup": true}
	v := newConsole(t, fake.url)
	for _, path := range []string{"/analytics", "/analytics/top", "/analytics/deliveries", "/analytics/matching"} {
		loaded := v.send(http.MethodGet, path, nil, nil)
		if loaded.status != http.StatusOK {
			t.Errorf("%s: %d", path, loaded.status)
		}
		loaded.has(t, "Loading…", `id="answer" data-refresh="0"`, `<noscript><meta http-equiv="refresh" content="0; url=`+path+`?wait=1">`)
	}
}

func TestLongSeriesHaveBarsForSeveralSteps(t *testing.T) {
	world := busyShop()
	fake := newFakeAPI(t, world)
	fake.spoil = func(answer map[string]any) {
		series, isSeries := answer["series"].([]any)
		if !isSeries {
			return
		}
		var times, counts []any
		for i := range 1440 {
			times, counts = append(times, noon().Add(time.Duration(i)*time.Minute).Format(time.RFC3339)), append(counts, 2)
		}
		answer["times"] = times
		for _, line := range series {
			line.(map[string]any)["counts"] = counts
		}
	}
	loaded := newConsole(t, fake.url).get("/analytics?interval=minute", http.StatusOK)
	loaded.has(t, "Events per 8 minutes by event", `<td class="n">16</td>`)
	if rows := strings.Count(loaded.body, `<tr><th scope="row">`); rows != 180 {
		t.Errorf("%d rows, want 180", rows)
	}
}

func TestDeliveriesOfOneWorkflowHaveTheirQuantiles(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	v.get("/analytics/deliveries?since=1h", http.StatusOK).has(t, "From receipt to delivery, 95% within",
		`<a href="/analytics/deliveries?since=1h&amp;workflow=cart-reminder">cart-reminder</a>`, `href="/dead-letters?since=1h&amp;workflow=order-confirmation"`)
	loaded := v.get("/analytics/deliveries?since=1h&workflow=order-confirmation", http.StatusOK)
	loaded.has(t, "half within", "99% within", `class="curve bad"`, "<circle", "–</td>") // one minute stands alone between two gaps
	loaded.hasNot(t, "95% within</h2>")
}

func TestMatchingTellsRatesAndTriggers(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	v.get("/analytics/matching?since=1h&source="+shopID, http.StatusOK).has(t, "<dt>Dedup rate</dt><dd>8.3%</dd>", "<dt>Match rate</dt>",
		`<a href="/logs?since=1h&amp;source=`+shopID+`&amp;status=duplicate">`, `<a href="/triggers/`+orderID+`">order-confirmation</a>`, "15,092", "100%</text>")
}

func TestPathsOfPropertiesAreSuggested(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	want := `["event","status","source","environment","user","properties.coupon","properties.currency","properties.gift note","properties.items.0.quantity","properties.items.0.sku","properties.order_id","properties.total"]`
	if got := v.get("/analytics/paths?event=Order+Completed&source="+shopID, http.StatusOK).body; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	v.get("/analytics/paths", http.StatusOK)
	if len(fake.requests(http.MethodGet, "/event-names/Order Completed/properties")) != 1 || len(fake.requests(http.MethodGet, "/event-names/*/properties")) != 1 {
		t.Error("asked for other names")
	}
}

// tableOf reads a CSV file as other programs do.
func tableOf(t *testing.T, v visit, address string) [][]string {
	t.Helper()
	loaded := v.send(http.MethodGet, address, nil, nil)
	if loaded.status != http.StatusOK || !strings.HasPrefix(loaded.header.Get("Content-Type"), "text/csv") || loaded.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s: %d %v\n%s", address, loaded.status, loaded.header, loaded.body)
	}
	rows, err := csv.NewReader(strings.NewReader(loaded.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTablesAreFiles(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(address string, rows int, heading, second string) {
		t.Helper()
		got := tableOf(t, v, address)
		if len(got) != rows || strings.Join(got[0], ",") != heading || strings.Join(got[1], ",") != second {
			t.Errorf("%s: %d rows\n%s\n%s", address, len(got), strings.Join(got[0], ","), strings.Join(got[1], ","))
		}
	}
	f("/analytics/series.csv?by=source&interval=minute", 61, "from,shop,mobile", "2026-03-02T11:00:00Z,820,310")
	f("/analytics/top.csv?by=status", 5, "status,events,share", "processed,61000,0.305")
	f("/analytics/deliveries.csv", 3, "workflow,from,calls,delivered,retrying,dead,call_p50_ms,call_p90_ms,call_p95_ms,call_p99_ms,call_max_ms,delivered_p50_ms,delivered_p90_ms,delivered_p95_ms,delivered_p99_ms,delivered_max_ms",
		"cart-reminder,2026-03-02T11:00:00Z,9120,9120,0,0,21,40,52,88,140,61,110,150,240,700")
	f("/analytics/deliveries-over-time.csv?since=1h", 109, "workflow,from,calls,delivered,retrying,dead,call_p50_ms,call_p90_ms,call_p95_ms,call_p99_ms,call_max_ms,delivered_p50_ms,delivered_p90_ms,delivered_p95_ms,delivered_p99_ms,delivered_max_ms",
		"cart-reminder,2026-03-02T11:00:00Z,300,296,0,0,20,45,60,110,400,50,95,120,310,1300")
	f("/analytics/matching.csv?since=1h", 61, "from,events,duplicates,processed,no_trigger,failed,matched,dedup_rate,match_rate",
		"2026-03-02T11:00:00Z,1400,90,900,410,0,700,0.06428571428571428,0.5343511450381679")
	f("/analytics/triggers.csv", 2, "trigger_id,workflow,considered,matched,condition_false,inactive,mapping_error,condition_error,match_rate",
		orderID+",order-confirmation,58310,43120,15092,0,98,0,0.7395")
	if asked := fake.lastAsked("/analytics/series"); asked.Get("top") != "50" {
		t.Error(asked)
	}
	named := v.send(http.MethodGet, "/analytics/top.csv", nil, nil).header.Get("Content-Disposition")
	if named != `attachment; filename="millrace-top-20260301T120000Z-20260302T120000Z.csv"` {
		t.Error(named)
	}
	v.get("/analytics/top?by=user&since=1h", http.StatusOK).has(t, `href="/analytics/top.csv?by=user&amp;since=1h"`)
}

func TestNoCellFromOutsideIsAFormula(t *testing.T) {
	world := busyShop()
	for _, name := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a \"quoted\", =name", "plain"} {
		world.latency.Items = append(world.latency.Items, query.LatencyItem{Workflow: name, At: noon()})
	}
	fake := newFakeAPI(t, world)
	v := newConsole(t, fake.url)
	var names []string
	for _, row := range tableOf(t, v, "/analytics/deliveries.csv")[3:] {
		names = append(names, row[0])
	}
	// The library writes no lone carriage return.
	want := []string{"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'=1", "a \"quoted\", =name", "plain"}
	if strings.Join(names, "|") != strings.Join(want, "|") {
		t.Errorf("%q, want %q", names, want)
	}
	headings := tableOf(t, v, "/analytics/series.csv?by=user")[0]
	if headings[7] != `'=HYPERLINK("https://evil.example")` {
		t.Errorf("%q", headings)
	}
	if first := tableOf(t, v, "/analytics/top.csv?by=properties.plan")[5]; first[0] != "'-1" || first[1] != "12200" {
		t.Errorf("%q", first)
	}
}

func TestFilesNeedALogin(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.tokens = map[string]api.Me{readToken: {Name: "support", Scope: "read"}}
	v := newConsole(t, fake.url)
	refused := v.send(http.MethodGet, "/analytics/top.csv?by=user", nil, nil)
	if refused.status != http.StatusSeeOther || strings.Contains(refused.body, "ada") {
		t.Errorf("%d %s", refused.status, refused.body)
	}
	if rows := tableOf(t, v.logIn(readToken), "/analytics/top.csv?by=user"); rows[1][0] != "ada" {
		t.Error(rows)
	}
}
