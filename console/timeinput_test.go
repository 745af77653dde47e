package console_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/millrace/millrace/rig/browser"
)

func TestTimeIsPickedInTheViewersZoneAndAskedForInUTC(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800}) // in Berlin
	tab.Do(chromedp.Navigate(v.url+"/logs?wait=1&since=2026-03-02T11:00:00Z"), chromedp.WaitVisible(`[aria-controls="since-picker"]`))
	tab.Do(chromedp.Click(`[aria-controls="since-picker"]`))
	tab.Await(`document.activeElement.id === "since-local" && document.activeElement.value.startsWith("2026-03-02T12:00")`)
	pick := func(local string) {
		browser.Evaluate[bool](tab, `((input) => { input.value = "`+local+`"; return input.dispatchEvent(new Event("input", { bubbles: true })); })(document.activeElement)`)
	}
	pick("2026-07-01T00:00:00") // in summer, two hours ahead
	tab.Await(`document.getElementById("since").value === "2026-06-30T22:00:00Z"`)
	pick("") // as while a part of it is typed
	tab.Await(`document.getElementById("since").value === "2026-06-30T22:00:00Z"`)
	tab.Do(chromedp.KeyEvent(kb.Escape))
	tab.Await(`document.getElementById("since-picker").hidden && document.activeElement.getAttribute("aria-controls") === "since-picker" && document.activeElement.ariaExpanded === "false"`)
	tab.Do(chromedp.Click("form.filter .primary"))
	tab.Await(`new URLSearchParams(location.search).get("since") === "2026-06-30T22:00:00Z"`)
	asked := fake.requests(http.MethodGet, "/events")
	if values, _ := url.ParseQuery(asked[len(asked)-1].query); values.Get("since") != "2026-06-30T22:00:00Z" || values.Has("until") {
		t.Error(values)
	}
}

func TestPickerBeginsAtTheAgeThatIsThere(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	tab := browser.New(t).Tab(t, browser.Look{Width: 390, Height: 844})
	tab.Do(chromedp.Navigate(v.url+"/refused?wait=1&since=1h30m"), chromedp.Click(`[aria-controls="since-picker"]`))
	tab.Await(`Math.abs(Date.now() - 90 * 60000 - new Date(document.getElementById("since-local").value)) < 60000`)
	if text := browser.Evaluate[string](tab, `document.getElementById("since").value`); text != "1h30m" {
		t.Errorf("looking at it has made it %q", text)
	}
	if problems := tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}
