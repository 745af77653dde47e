package console_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/rig/browser"
)

// looks are how every page is looked at.
func looks() []browser.Look {
	return []browser.Look{
		{Name: "light", Width: 1280, Height: 800},
		{Name: "dark", Dark: true, Width: 1280, Height: 800},
		{Name: "narrow", Width: 390, Height: 844},
	}
}

// view is a page in a state that is worth a look.
type view struct {
	name, path string
	knows      world
	change     func(*fakeAPI)
	open       bool // what is folded away
}

func views() []view {
	return slices.Concat(firstViews(), triggersViews(), editorViews(), runsViews(), replaysViews(), analyticsViews(), settingsViews())
}

// firstViews are those of sources and logs, and of what every page has.
func firstViews() []view {
	busy, empty := busyShop(), emptyShop()
	undecided := busyShop()
	undecided.events[0].Status, undecided.detail.Status, undecided.detail.Decision = "", "", nil
	undecided.detail.Runs, undecided.detail.Attempts, undecided.detail.Timeline = []query.RunItem{}, []query.Attempt{}, undecided.detail.Timeline[:1]
	reader := func(f *fakeAPI) { f.tokens = twoTokens() }
	return []view{
		{name: "overview", path: "/", knows: busy},
		{name: "overview-first", path: "/", knows: empty},
		{name: "overview-slow", path: "/", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /analytics/series"] = refusal{503, "too_slow", "", "the event log took too long; ask for less time"}
		}},
		{name: "sources", path: "/sources", knows: busy},
		{name: "source-new", path: "/sources/new", knows: busy},
		{name: "source", path: "/sources/" + shopID, knows: busy},
		{name: "source-open", path: "/sources/" + shopID, knows: busy, open: true},
		{name: "logs", path: "/logs?where=properties.total%3E100", knows: busy},
		{name: "logs-empty", path: "/logs?event=Nothing", knows: empty},
		{name: "logs-refused", path: "/logs?where=total", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /events"] = refusal{400, "invalid_filter", "where", "where: give a path, an operator and a value, such as properties.total>100"}
		}},
		{name: "refused", path: "/refused", knows: busy, open: true},
		{name: "event", path: "/events/" + eventID, knows: busy},
		{name: "event-undecided", path: "/events/" + eventID, knows: undecided},
		{name: "login", path: "/login?next=/logs", knows: busy, change: reader},
		{name: "nowhere", path: "/nowhere", knows: busy},
		{name: "down", path: "/sources", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /sources"] = refusal{503, "unavailable", "", "the catalog or the event log did not answer; try again"}
		}},
	}
}

// TestEveryPageLooksRightInLightDarkAndNarrow looks at every page with a real browser. MILLRACE_SCREENSHOTS names a
// directory for the pictures.
func TestEveryPageLooksRightInLightDarkAndNarrow(t *testing.T) {
	chromium := browser.New(t)
	addresses := map[string]string{}
	for _, view := range views() {
		fake := newFakeAPI(t, view.knows)
		if view.change != nil {
			fake.change(func() { view.change(fake) })
		}
		addresses[view.name] = newConsole(t, fake.url).url + view.path
	}
	for _, look := range looks() {
		t.Run(look.Name, func(t *testing.T) {
			tab := chromium.Tab(t, look)
			for _, view := range views() {
				tab.Do(chromedp.Navigate(addresses[view.name]), chromedp.WaitVisible("main h1"))
				tab.Await(`!document.querySelector("[data-refresh='0']")`)
				if view.open {
					browser.Evaluate[int](tab, `[...document.querySelectorAll("details")].map((d) => (d.open = true)).length`)
				}
				for _, problem := range problemsOf(tab) {
					t.Errorf("%s: %s", view.name, problem)
				}
				savePicture(t, tab, view.name+"-"+look.Name)
			}
		})
	}
}

// problemsOf lists what is wrong with the page in the tab.
func problemsOf(tab *browser.Tab) []string {
	problems := slices.DeleteFunc(tab.Problems(), isAnswer)
	if wide := browser.Evaluate[int](tab, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
		problems = append(problems, fmt.Sprintf("%d pixels wider than the window", wide))
	}
	problems = append(problems, browser.Evaluate[[]string](tab, contrastProblems)...)
	return append(problems, browser.Evaluate[[]string](tab, labelProblems)...)
}

// isAnswer tells whether it is only the status of the page, which the view is about.
func isAnswer(problem string) bool {
	return strings.HasPrefix(problem, "Failed to load resource: the server responded with a status of")
}

func savePicture(t *testing.T, tab *browser.Tab, name string) {
	t.Helper()
	dir := os.Getenv("MILLRACE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), tab.Picture(), 0o644); err != nil {
		t.Fatal(fmt.Errorf("saving the picture: %w", err))
	}
}

// contrastProblems lists text whose contrast with its ground is below what WCAG 2 asks for at level AA.
const contrastProblems = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const known = new Map();
	const rgba = (colour) => { if (!known.has(colour)) known.set(colour, read(colour)); return known.get(colour); };
	const read = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ground = (element) => { for (let e = element; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; } return [255, 255, 255]; };
	const problems = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const element = node.parentElement;
		if (!node.textContent.trim() || !element.checkVisibility() || element.closest(".hidden, .skip, script")) continue;
		const style = getComputedStyle(element);
		const [a, b] = [light(rgba(element.closest("svg") ? style.fill : style.color)), light(ground(element))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) problems.add("contrast " + ratio.toFixed(2) + ": " + element.tagName + "." + element.getAttribute("class") + " " + node.textContent.trim().slice(0, 40));
	}
	return [...problems];
})()`

// labelProblems lists what a screen reader could not name, and IDs that stand twice.
const labelProblems = `(() => {
	const problems = [];
	for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) if (!input.labels.length) problems.push("no label: " + input.outerHTML.slice(0, 120));
	for (const control of document.querySelectorAll("a, button")) if (!control.textContent.trim() && !control.getAttribute("aria-label")) problems.push("no name: " + control.outerHTML.slice(0, 120));
	for (const svg of document.querySelectorAll("svg")) if (!svg.getAttribute("aria-label")) problems.push("no label: svg");
	for (const image of document.images) if (!image.hasAttribute("alt")) problems.push("no alt: " + image.src);
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) problems.push("twice: id " + id);
	if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
	return problems;
})()`
