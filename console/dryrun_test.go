package console_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/rig/browser"
	"github.com/millrace/millrace/schemas"
)

func TestDryRunWithoutScriptsIsAPageWithAReplayOverTheSameEvents(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	found := v.post("/replays/dry-run", repair(), http.StatusOK)
	found.has(t, "Runs to create", "398", "47,608 of another outcome", "61,204 records", "recipients: &lt;i&gt;data.recipientId&lt;/i&gt; is missing", "exists already",
		"differs from then", "&#34;note&#34;: &#34;&lt;b&gt;&#34;", "order-confirmation", "396", "Start this replay", `value="24h"`)
	body, _ := fake.sent("POST", "/replays/dry-run")
	if body["from"] != "24h" || body["force"] != true || body["rate"] != 1000.0 {
		t.Errorf("asked about %v", body)
	}
	// What starts is what was looked at: the same settings with fixed times.
	form, isFound := hiddenInputs(found.body, `<form method="post" action="/replays">`)
	want := repair()
	want["from"], want["to"], want["events"] = []string{"2026-03-01T12:00:00Z"}, []string{"2026-03-02T12:00:00.123Z"}, []string{"Order Completed"}
	if !isFound || form.Encode() != want.Encode() {
		t.Errorf("starts %v, want %v", form, want)
	}
}

// hiddenInputs reads the hidden inputs of a form.
func hiddenInputs(text, begin string) (url.Values, bool) {
	_, after, isFound := strings.Cut(text, begin)
	within, _, _ := strings.Cut(after, "</form>")
	values := url.Values{}
	for _, input := range strings.Split(within, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(input, `" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		values.Add(name, html.UnescapeString(value))
	}
	return values, isFound
}

func TestDryRunThatFindsNothingHasNothingToStart(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.dryRun.finds = func(found *api.DryRun) { found.Created, found.Existed, found.Samples = 0, 7, []schemas.ReplaySample{} }
	v := newConsole(t, fake.url)
	found := v.post("/replays/dry-run", repair(), http.StatusOK)
	found.has(t, "No run would be created", "force would make them anew")
	found.hasNot(t, "Start this replay")
}

func TestDryRunThatIsRefusedLeavesTheForm(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	fake.change(func() {
		fake.refuse["POST /replays/dry-run"] = refusal{429, "too_many", "", "2 dry runs are under way, which is the most"}
	})
	v.post("/replays/dry-run", repair(), http.StatusTooManyRequests).has(t, "Two dry runs are under way already", `value="`+orderID+`" checked`)
	fake.change(func() {
		fake.refuse["POST /replays/dry-run"] = refusal{422, "invalid", "where", "where: unexpected token"}
	})
	v.post("/replays/dry-run", repair(), http.StatusUnprocessableEntity).has(t, `id="where-error">Where: unexpected token.`)
	fake.change(func() {
		delete(fake.refuse, "POST /replays/dry-run")
		fake.dryRun.failed = &refusal{422, "too_slow", "from", "the dry run took more than 1h0m0s; give a shorter time"}
	})
	v.post("/replays/dry-run", repair(), http.StatusUnprocessableEntity).has(t, `id="from-error">The dry run took more than 1h0m0s`)
}

// halfway is how far a dry run is that is being looked at.
func halfway() []api.ReplayProgress {
	left := 12.4
	return []api.ReplayProgress{{
		ReplayProgress: schemas.ReplayProgress{Done: 30_602, Total: 61_204, Created: 190, Errors: map[string]int64{}}, Percent: 50, SecondsLeft: &left,
	}}
}

// pressDryRun opens the form of a replay and presses its button.
func pressDryRun(tab *browser.Tab, v visit) {
	tab.Do(chromedp.Navigate(v.url+newReplayPath), chromedp.Click("button.primary[data-dryrun]"))
}

func TestDryRunTellsHowFarItIsAndThenStarts(t *testing.T) {
	chromium := browser.New(t)
	for _, look := range looks() {
		t.Run(look.Name, func(t *testing.T) {
			fake := newFakeAPI(t, busyShop())
			goOn := make(chan struct{})
			fake.dryRun = fakeDryRun{told: halfway(), holds: goOn, left: make(chan struct{})}
			v := newConsole(t, fake.url)
			tab := chromium.Tab(t, look)
			pressDryRun(tab, v)
			tab.Await(`document.querySelector("#dryrun progress").value === 50 && document.querySelector("#dryrun").innerText.includes("30,602 of 61,204 records read · 190 runs so far · 12 s left")`)
			for _, problem := range problemsOf(tab) {
				t.Errorf("under way: %s", problem)
			}
			savePicture(t, tab, "replay-dryrun-"+look.Name)
			close(goOn)
			tab.Await(`document.activeElement.id === "result" && document.body.innerText.includes("It creates 398 runs")`)
			tab.Await(`document.querySelector("time").textContent !== document.querySelector("time").title`)
			for _, problem := range problemsOf(tab) {
				t.Errorf("with the result: %s", problem)
			}
			savePicture(t, tab, "replay-found-"+look.Name)
			tab.Await(`location.pathname === "/replays/new" && new URLSearchParams(location.search).get("triggers") === "` + orderID + `"`)
			tab.Do(chromedp.Click(`form[action="/replays"] button`))
			tab.Await(`location.pathname === "/replays/rpl_running"`)
			if body, _ := fake.sent("POST", "/replays"); body["from"] != "2026-03-01T12:00:00Z" || body["where"] != "data.total > 100" {
				t.Errorf("started %v", body)
			}
		})
	}
}

func TestDryRunThatIsCancelledEnds(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	left := make(chan struct{})
	fake.dryRun = fakeDryRun{told: halfway(), holds: make(chan struct{}), left: left}
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	pressDryRun(tab, v)
	tab.Await(`document.querySelector("#dryrun progress").value === 50`)
	tab.Do(chromedp.Click("#dryrun button"))
	tab.Await(`document.querySelector("#dryrun").innerText.includes("The dry run is cancelled")`)
	<-left // the API knows
	if len(fake.requests("POST", "/replays")) > 0 {
		t.Error("a replay was started")
	}
}

func TestTriggersFollowTheSourceThatIsChosen(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(v.url + "/replays/new"))
	tab.Await(`document.querySelector("#triggers").innerText.includes("Choose a source")`)
	browser.Evaluate[bool](tab, `(["source", "environment"].forEach((name) => {
		const select = document.getElementById(name);
		select.selectedIndex = 2;
		select.dispatchEvent(new Event("change"));
	}), true)`)
	tab.Await(`document.querySelector("#triggers").innerText.includes("remind")`)
}
