package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/millrace/millrace/rig/browser"
)

func TestTimesAreInTheViewersZoneWithUTCInTheTitle(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800}) // in Berlin
	tab.Do(chromedp.Navigate(v.url + "/events/" + eventID))
	tab.Await(`document.querySelector("time").innerText.includes("1:00:00")`)
	if title := browser.Evaluate[string](tab, `document.querySelector("time").title`); title != "2026-03-02 12:00:00.000 UTC" {
		t.Error(title)
	}
	tab.Do(chromedp.Navigate(v.url + "/"))
	tab.Await(`document.querySelector(".bars text[data-at]")?.textContent === "12:00"`) // 11:00 UTC
}

func TestConsoleIsUsedWithKeysAlone(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.tokens = twoTokens()
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	focused := func(what string) { tab.Await(`document.activeElement?.` + what) }

	tab.Do(chromedp.Navigate(v.url+"/sources/new"), chromedp.KeyEvent(kb.Tab))
	focused(`innerText === "Skip to the content"`)
	tab.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab))
	focused(`id === "token"`)
	tab.Do(chromedp.KeyEvent(writeToken + kb.Enter))
	focused(`tagName === "BODY" && location.pathname === "/sources/new" && document.querySelector("#name")`)
	tab.Do(chromedp.KeyEvent(kb.Tab + kb.Enter)) // past the navigation
	focused(`id === "main"`)
	tab.Do(chromedp.KeyEvent(kb.Tab))
	focused(`id === "name"`)
	tab.Do(chromedp.KeyEvent("shop" + kb.Enter))
	tab.Await(`location.pathname === "/sources/` + shopID + `"`)
	if body, _ := fake.sent("POST", "/sources"); body["name"] != "shop" {
		t.Error(body)
	}
	if problems := tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestLinkOfAnotherSiteLeadsToThePageForWhoIsLoggedIn(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.tokens = twoTokens()
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(v.url+"/login"), chromedp.SendKeys("#token", readToken+kb.Enter))
	tab.Await(`document.querySelector("h1").innerText === "Overview"`)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><a id="link" href="%s/logs?event=x">a link</a><form method="post" action="%s/sources"><input name="name" value="evil"><button>x</button></form>`, v.url, v.url)
	}))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1) // another site, for a browser
	tab.Do(chromedp.Navigate(elsewhere), chromedp.Click("#link"))
	tab.Await(`location.pathname === "/logs" && document.querySelector("h1")?.innerText === "Logs"`)
	tab.Do(chromedp.Navigate(elsewhere), chromedp.Click("button"))
	tab.Await(`document.body.innerText.includes("may not change anything here")`)
	if len(fake.requests("POST", "/sources")) > 0 {
		t.Error("another site has made a source")
	}
}

func TestLiveViewPutsNewEventsOnTop(t *testing.T) {
	world := busyShop()
	fake := newFakeAPI(t, world)
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(v.url + "/logs?event=x&wait=1#live"))
	// Three came, which the page had already: it has them once, and the live view goes on after them.
	tab.Await(`document.querySelector("#live [role=status]").innerText === "0 new"`)
	rows := browser.Evaluate[[]string](tab, `[...document.querySelectorAll("#events tbody tr")].map((row) => row.dataset.id)`)
	if len(rows) != len(world.events) || rows[0] != eventID {
		t.Errorf("%d rows, %v", len(rows), rows)
	}
	newer := world.events[0]
	newer.ID, newer.Event, newer.Status = "019524f0-0000-7000-8000-000000009999", "<b>Newer</b>", ""
	fake.change(func() { fake.came = append(fake.came, newer) })
	tab.Await(`document.querySelector("#events tbody tr").innerText.includes("<b>Newer</b>") && document.querySelector("#live [role=status]").innerText === "1 new"`)
	newer.Status = "failed"
	fake.change(func() { fake.world.events = append(fake.world.events, newer) })
	tab.Await(`document.querySelector("#events tbody tr .badge.bad")?.innerText === "failed"`)
	tab.Do(chromedp.Click("#live button"))
	tab.Await(`document.querySelector("#live button").ariaPressed === "false" && location.hash === "" && location.search === "?event=x&wait=1"`)
}

func TestRowsThatComeBeforeTheListDoesAreNotLost(t *testing.T) {
	fake := newFakeAPI(t, emptyShop())
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(v.url + "/logs?wait=1#live"))
	tab.Await(`document.querySelector("#live [role=status]").innerText === "0 new"`)
	browser.Evaluate[bool](tab, `(window.list = document.getElementById("found"), list.remove(), true)`) // as while it loads
	fake.change(func() { fake.came = append(fake.came, busyShop().events[0]) })
	fake.awaitNothingToCome()
	browser.Evaluate[bool](tab, `(document.querySelector("main").append(list), true)`)
	tab.Await(`document.querySelector("#events tbody tr")?.innerText.includes("Order Completed")`)
}

func TestScriptsInEventsAreNotRun(t *testing.T) {
	const script = `"'></script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>`
	fake := newFakeAPI(t, busyShop())
	fake.spoil = func(answer map[string]any) { spoil(answer, script) }
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	for _, path := range append(paths(), "/logs?q="+url.QueryEscape(script)) {
		path += wait(path) + "#live"
		tab.Do(chromedp.Navigate(v.url+path), chromedp.WaitVisible("h1"))
		if strings.HasPrefix(path, "/logs") {
			tab.Await(`document.querySelector("#live [role=status]").innerText.endsWith("new")`)
		}
		if browser.Evaluate[bool](tab, "window.hacked === 1") {
			t.Errorf("%s: a script in an event was run", path)
		}
		if problems := tab.Problems(); len(problems) > 0 {
			t.Errorf("%s: %q", path, problems)
		}
	}
	v.get("/", http.StatusOK)
}
