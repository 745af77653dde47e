package e2e

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/browser"
)

// TestFirstVisitLeadsToAnEventThatIsSeenLive is what somebody does who has just started Millrace, in a real browser.
func TestFirstVisitLeadsToAnEventThatIsSeenLive(t *testing.T) {
	p := rig.Start(t)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	open := func(path string) { tab.Do(chromedp.Navigate(p.ConsoleURL + path)) }

	open("/")
	tab.Await(`document.body.innerText.includes("No event has come yet")`)
	tab.Do(chromedp.Click(`a[href="/sources/new"]`))

	// A name that is wrong is refused at its input; what was typed stays.
	tab.Do(chromedp.SendKeys("#name", "web shop"), chromedp.SendKeys("#description", "ours"), chromedp.Click("form.card button.primary"))
	tab.Await(`document.querySelector("#name-error") && document.querySelector("#description").value === "ours"`)
	tab.Do(chromedp.SetValue("#name", "shop"), chromedp.Click("form.card button.primary"))
	tab.Await(`location.pathname.startsWith("/sources/src_") && document.querySelector("h1").innerText.trim() === "shop"`)
	expectProblem(t, tab, "422")

	// The URL can be copied, and the line beside it posts an event.
	tab.Do(chromedp.Click("button.copying"))
	tab.Await(`document.querySelector("button.copying").innerText.startsWith("Copied")`)
	curl := browser.Evaluate[string](tab, `[...document.querySelectorAll("code")].map((c) => c.textContent).find((text) => text.startsWith("curl"))`)
	url, body := parseCurl(t, curl)

	open("/logs#live")
	tab.Await(`document.querySelector("#live button").ariaPressed === "true" && document.querySelector("#live [role=status]").innerText.endsWith("new")`)
	post(t, url, body)
	tab.Await(`document.querySelector("#events tbody tr .badge")?.innerText === "no trigger"`) // undecided first, then this
	post(t, url, body)
	tab.Await(`document.querySelector("#events tbody tr .badge")?.innerText === "duplicate"`)

	// The repeat leads to the first event.
	tab.Do(chromedp.Click("#events tbody tr a"))
	tab.Await(`document.querySelector(".timeline")?.innerText.includes("duplicate")`)
	tab.Do(chromedp.Click(`.timeline a[href^="/events/"]`))
	tab.Await(`document.querySelector(".timeline")?.innerText.includes("first") && document.querySelector("h1").innerText.includes("no trigger")`)
	if problems := tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestEventPageTellsWhyATriggerFiredAndHowItsRunWasDelivered(t *testing.T) {
	p := rig.Start(t)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	var source struct {
		Endpoints map[string]struct{ URL string }
	}
	p.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]any{"name": "shop"}, &source)
	for workflow, condition := range map[string]string{"receipt": "", "big-order": "data.total > 1000"} {
		p.Call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, map[string]any{
			"environment": "production", "source_id": "shop", "event": "Paid", "workflow": workflow, "condition": condition,
		}, nil)
	}
	const name = `<script>window.hacked = true</script>`
	body := `{"type":"track","event":"Paid","userId":"ada","messageId":"` + name + `","properties":{"total":42,"note":"` + name + `"}}`
	post(t, source.Endpoints["production"].URL, body)

	tab.Do(chromedp.Navigate(p.ConsoleURL + "/logs?where=properties.total%3E10&q=note&event=Paid"))
	p.Eventually("the event is found", func() error {
		tab.Do(chromedp.Reload())
		tab.Await(`document.querySelector("#events")`)
		if !browser.Evaluate[bool](tab, `!!document.querySelector("#events tbody .badge.good")`) {
			return errors.New("no row of an event that was processed")
		}
		return nil
	})
	tab.Do(chromedp.Click("#events tbody tr a"))
	// The page looks again by itself until everything has happened.
	tab.Await(`document.querySelector(".timeline")?.innerText.includes("delivered")`)
	text := browser.Evaluate[string](tab, `document.querySelector("main").innerText`)
	for _, told := range []string{"receipt", "matched", "big-order", "condition false", "Run of receipt", "200", name} {
		if !strings.Contains(text, told) {
			t.Errorf("the page does not tell %q:\n%s", told, text)
		}
	}
	if browser.Evaluate[bool](tab, "window.hacked === true") {
		t.Error("a script in an event was run")
	}
	// Without JavaScript the search is a link like any other; the overview counts what came.
	tab.Do(chromedp.Navigate(p.ConsoleURL + "/"))
	tab.Await(`document.querySelector(".tiles")?.innerText.includes("Runs started") && document.querySelector(".bars")`)
	if problems := tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

// expectProblem takes note of an answer that was meant to be refused.
func expectProblem(t *testing.T, tab *browser.Tab, status string) {
	t.Helper()
	problems := tab.Problems()
	if len(problems) != 1 || !strings.Contains(problems[0], status) {
		t.Errorf("problems of the page: %q, want one with %s", problems, status)
	}
}

// parseCurl takes the URL and the body from a curl line.
func parseCurl(t *testing.T, line string) (url, body string) {
	t.Helper()
	found := regexp.MustCompile(`^curl -i '([^']+)' -H 'Content-Type: application/json' -d '([^']+)'$`).FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("no curl line: %q", line)
	}
	return found[1], found[2]
}

func post(t *testing.T, url, body string) {
	t.Helper()
	answer, err := rig.Request(http.MethodPost, url, []byte(body), nil)
	if err != nil || answer.Status != http.StatusNoContent {
		t.Fatalf("POST %s: %v, %d %s", url, err, answer.Status, answer.Body)
	}
}
