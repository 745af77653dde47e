package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/browser"
)

// journey is somebody at work with the console.
type journey struct {
	t        *testing.T
	p        *rig.Pipeline
	tab      *browser.Tab
	endpoint string // URL
	sent     int    // events
}

// TestTriggerIsBuiltBrokenUnderstoodRepairedAndReplayed is what somebody does in a browser from a new source to a repaired
// event, with nothing but what the pages lead to.
func TestTriggerIsBuiltBrokenUnderstoodRepairedAndReplayed(t *testing.T) {
	p := rig.Start(t)
	j := &journey{t: t, p: p, tab: browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 900})}
	j.makeSource()
	j.seeLive()
	trigger := j.buildTrigger()
	j.post()
	j.seeRun()
	j.remap("mapping.recipients", trigger, "data.nobody", "2 mapping error")
	j.post()
	event := j.understand()
	j.repair()
	j.replay(event)
	if problems := j.tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func (j *journey) open(path string) { j.tab.Do(chromedp.Navigate(j.p.ConsoleURL + path)) }

func (j *journey) makeSource() {
	j.open("/sources/new")
	j.tab.Do(chromedp.SendKeys("#name", "shop"), chromedp.Click("form.card button.primary"))
	j.tab.Await(`location.pathname.startsWith("/sources/src_") && !!document.querySelector("[aria-labelledby=endpoint-production] details code")`)
	curl := browser.Evaluate[string](j.tab, `[...document.querySelectorAll("[aria-labelledby=endpoint-production] code")].map((c) => c.textContent).find((text) => text.startsWith("curl"))`)
	j.endpoint, _ = parseCurl(j.t, curl)
}

// post sends an order.
func (j *journey) post() {
	j.sent++
	post(j.t, j.endpoint, fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":"ada","messageId":"order-%d","properties":{"order_id":"%d","total":142.5}}`, j.sent, 90210+j.sent))
}

func (j *journey) seeLive() {
	j.open("/logs#live")
	j.tab.Await(`document.querySelector("#live [role=status]").innerText.endsWith("new")`)
	j.post()
	j.tab.Await(`document.querySelector("#events tbody tr")?.innerText.includes("Order Completed") && document.querySelector("#events tbody .badge").innerText === "no trigger"`)
}

// choose takes the option with this text, as a click does.
func (j *journey) choose(id, text string) {
	j.tab.Await(fmt.Sprintf(`((select) => {
		const option = [...select.options].find((o) => o.text === %q);
		if (!option) return false;
		select.value = option.value;
		select.dispatchEvent(new Event("input", { bubbles: true }));
		return select.dispatchEvent(new Event("change", { bubbles: true }));
	})(document.getElementById(%q))`, text, id))
}

// retype puts a text in place of what an input holds.
func (j *journey) retype(id, text string) {
	browser.Evaluate[bool](j.tab, fmt.Sprintf(`((input) => { input.focus(); input.select(); return true; })(document.getElementById(%q))`, id))
	j.tab.Do(chromedp.KeyEvent(text))
}

// buildTrigger makes a trigger in the editor and returns the path of its page.
func (j *journey) buildTrigger() string {
	j.open("/triggers")
	j.tab.Do(chromedp.Click(`a[href^="/triggers/new"]`))
	j.awaitPart("#condition")
	j.choose("source_id", "shop")
	j.choose("environment", "production")
	j.tab.Do(chromedp.SendKeys("#event", "Order Completed"), chromedp.SendKeys("#workflow", "receipt"))
	j.tab.Await(`document.querySelector("#fields")?.innerText.includes("data.order_id")`)

	// What is wrong with a condition stands at its place; what holds shows what it would do.
	j.tab.Do(chromedp.SendKeys("#condition", "dat.total > 100"))
	j.tab.Await(`document.querySelector("#condition-slot").innerText.includes("did you mean")`)
	j.retype("condition", "data.total > 100")
	j.tab.Do(chromedp.Click("#data-chosen"), chromedp.SendKeys("#rows .key", "total"), chromedp.SendKeys("#rows .value", "data.total"))
	j.tab.Await(`document.querySelector("#preview").innerText.includes("1 matched")`)

	j.tab.Do(chromedp.Click(".editor form .actions button.primary"))
	j.tab.Await(`location.pathname.startsWith("/triggers/trg_")`)
	return browser.Evaluate[string](j.tab, "location.pathname")
}

func (j *journey) seeRun() {
	j.open("/runs?workflow=receipt")
	j.reloadUntil("the run is listed", `!!document.querySelector("#found tbody a[href^='/runs/']")`)
	j.tab.Do(chromedp.Click(`#found tbody a[href^="/runs/"]`))
	j.tab.Await(`document.querySelector("#run h1 .badge")?.innerText === "delivered"`)
	if text := browser.Evaluate[string](j.tab, `document.querySelector("main").innerText`); !strings.Contains(text, "142.5") || strings.Contains(text, "90212") {
		j.t.Errorf("the run has not the data that was chosen:\n%s", text)
	}
}

// remap gives an input of a trigger's mapping another path, and saves it once the preview says what would come of it.
func (j *journey) remap(input, trigger, path, outcome string) {
	if trigger != "" {
		j.open(trigger)
		j.tab.Do(chromedp.Click(fmt.Sprintf(`a[href="%s/edit"]`, trigger)))
	}
	j.awaitPart(fmt.Sprintf(`[id="%s"]`, input))
	j.retype(input, path)
	j.tab.Await(fmt.Sprintf(`document.querySelector("#preview").innerText.includes(%q)`, outcome))
	j.tab.Do(chromedp.Click(".editor form .actions button.primary"))
	j.tab.Await(`location.pathname.startsWith("/triggers/trg_") && location.search === "?done=trigger-saved"`)
}

// understand finds the event that failed, reads why, and returns the path of its page.
func (j *journey) understand() string {
	j.open("/logs?status=failed")
	j.reloadUntil("the event has failed", `!!document.querySelector("#events tbody .badge.bad")`)
	j.tab.Do(chromedp.Click("#events tbody tr a"))
	j.tab.Await(`document.querySelector(".timeline")?.innerText.includes("mapping error")`)
	if text := browser.Evaluate[string](j.tab, `document.querySelector(".timeline").innerText`); !strings.Contains(text, "data.nobody") {
		j.t.Errorf("the page does not tell why:\n%s", text)
	}
	return browser.Evaluate[string](j.tab, "location.pathname")
}

// repair follows the event's page to the editor, which previews the event that failed before others.
func (j *journey) repair() {
	j.tab.Do(chromedp.Click(`.timeline a[href*="/edit?event_id="]`))
	j.awaitPart("#preview")
	j.tab.Await(`document.querySelector("#preview").innerText.includes("mapping error")`)
	j.remap("mapping.recipients", "", "user_id", "3 matched")
}

// replay follows the event's page to a replay of what failed, and sees its run delivered.
func (j *journey) replay(event string) {
	j.open(event)
	j.awaitPart(".timeline")
	j.tab.Do(chromedp.Click(`.timeline a[href^="/replays/new"]`))
	j.awaitPart("#triggers")
	address := browser.Evaluate[string](j.tab, "location.search")
	if query, err := url.ParseQuery(strings.TrimPrefix(address, "?")); err != nil || query.Get("status") != "failed" && query.Get("statuses") != "failed" {
		j.t.Errorf("the form is not told to replay what failed: %s", address)
	}
	j.tab.Do(chromedp.Click("button.primary[data-dryrun]"))
	j.tab.Await(`document.querySelector("[aria-labelledby=result]")?.innerText.replace(/\s+/g, " ").includes("Runs to create 1 ")`)
	j.tab.Do(chromedp.Click("[aria-labelledby=result] button.primary"))
	j.tab.Await(`location.pathname.startsWith("/replays/rpl_") && document.querySelector("#replay h1 .badge")?.innerText === "completed"`)
	j.open(event)
	j.tab.Await(`document.querySelector(".timeline")?.innerText.includes("delivered")`)
}

// awaitPart waits until the page has a part, also one that a click leads to.
func (j *journey) awaitPart(selector string) {
	j.tab.Await(fmt.Sprintf(`!!document.querySelector(%q)`, selector))
}

// reloadUntil loads the page again until it shows what is meant.
func (j *journey) reloadUntil(what, condition string) {
	j.p.Eventually(what, func() error {
		j.tab.Do(chromedp.Reload())
		j.tab.Await(`!document.querySelector("[data-refresh='0']")`)
		if !browser.Evaluate[bool](j.tab, condition) {
			return errors.New("not yet")
		}
		return nil
	})
}
