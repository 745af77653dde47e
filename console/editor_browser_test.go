package console_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/millrace/millrace/rig/browser"
	"github.com/millrace/millrace/schemas"
)

// upToDate holds while the preview is of what stands in the form.
const upToDate = `document.getElementById("preview-state").textContent === "Up to date"`

// editing opens the editor in a browser.
func editing(t *testing.T, fake *fakeAPI, path string) *browser.Tab {
	t.Helper()
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(newConsole(t, fake.url).url+path), chromedp.WaitVisible("#condition"))
	tab.Await(`document.querySelector("#fields .insert")`)
	return tab
}

func TestPreviewFollowsWhatIsTyped(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	tab := editing(t, fake, "/triggers/new?event_id="+eventID)
	tab.Await(`document.querySelector(".outcomes").innerText.includes("19 matched")`)
	tab.Do(chromedp.Click("#preview details:not([open]) summary"), chromedp.SendKeys("#condition", "data.total > 100"))
	tab.Await(`document.querySelector(".outcomes").innerText.includes("10 condition false") && ` + upToDate)
	if open := browser.Evaluate[int](tab, `document.querySelectorAll("#preview details[open]").length`); open != 2 {
		t.Errorf("%d events are open, want the one that was opened and the first", open)
	}
	tab.Do(chromedp.SendKeys("#condition", " and dat.total"))
	tab.Await(`document.getElementById("condition-slot").innerText.includes('did you mean "data"?') && document.getElementById("condition").ariaInvalid === "true"`)
	if marked := browser.Evaluate[string](tab, `document.querySelector("#condition-slot mark").innerText`); marked != "dat" {
		t.Errorf("%q is marked", marked)
	}
	tab.Do(chromedp.SendKeys("#condition", strings.Repeat(kb.Backspace, len(" and dat.total"))))
	tab.Await(`!document.getElementById("condition-slot").innerText && !document.getElementById("condition").ariaInvalid && ` + upToDate)
	if len(fake.requests("POST", "/triggers")) > 0 {
		t.Error("a preview has saved something")
	}
	if problems := tab.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestFieldsArePickedIntoTheInputThatWasUsedLast(t *testing.T) {
	tab := editing(t, newFakeAPI(t, busyShop()), "/triggers/"+editedID+"/edit")
	pick := func(path string) {
		t.Helper()
		tab.Do(chromedp.Click(`.insert code[data-path="` + path + `"]`))
	}
	f := func(expression, want string) {
		t.Helper()
		if got := browser.Evaluate[string](tab, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	browser.Evaluate[string](tab, `document.getElementById("condition").value = ""`)
	pick("data.items.0.sku")
	f(`document.getElementById("condition").value`, "data.items[0].sku")
	f(`document.activeElement.id`, "condition")
	tab.Do(chromedp.SendKeys("#condition", ` == "x" or `))
	pick("data.gift note")
	f(`document.getElementById("condition").value`, `data.items[0].sku == "x" or data["gift note"]`)
	tab.Do(chromedp.Focus(`[id="mapping.tenant"]`)) // a literal
	pick("data.currency")
	f(`document.getElementById("mapping.tenant").value`, "data.currency")
	f(`document.getElementById("mapping.tenant-kind").value`, "path")
	tab.Do(chromedp.Focus("#data-0")) // an expression: data.total * 100
	browser.Evaluate[bool](tab, `(document.getElementById("data-0").setSelectionRange(0, 10), true)`)
	pick("data.items.0.quantity")
	f(`document.getElementById("data-0").value`, "data.items[0].quantity * 100")
	tab.Await(upToDate)
}

func TestRowsOfDataComeAndGo(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	tab := editing(t, fake, "/triggers/"+editedID+"/edit")
	count := func(want string) { t.Helper(); tab.Await(`document.querySelectorAll(".datarow").length === ` + want) }
	count("5")
	tab.Do(chromedp.Click("#add-row"))
	count("6")
	tab.Await(`document.activeElement.id === "data-5-key"`)
	tab.Do(chromedp.KeyEvent("rare"), chromedp.SendKeys("#data-5", "data.coupon"))
	tab.Await(`document.getElementById("data-5-slot").innerText.includes("3 of the last 20")`)
	tab.Do(chromedp.Click(".datarow:nth-child(2) .remove")) // coupon
	count("5")
	tab.Await(`document.getElementById("data-4-key").value === "rare" && document.getElementById("data-4-slot").innerText.includes("3 of the last 20") && !document.getElementById("data-1-slot").innerText`)
	tab.Do(chromedp.Focus("#data-4"), chromedp.KeyEvent(kb.Enter)) // saves: the button that adds rows stands before the one that saves
	tab.Await(`location.search === "?done=trigger-saved"`)
	body, revision := fake.sent("PATCH", "/triggers/"+editedID)
	mapping, _ := body["mapping"].(map[string]any)
	want := map[string]any{
		"cents": map[string]any{"expr": "data.total * 100"}, "order": "data.order_id", "rare": "data.coupon",
		"template": map[string]any{"value": map[string]any{"name": "thanks", "version": 2.0}},
	}
	if !reflect.DeepEqual(mapping["data"], want) || revision != `"4"` {
		t.Errorf("%v at %s, want %v", mapping["data"], revision, want)
	}
}

// TestBrowserSavesAsItWas opens a trigger that inputs have trouble with, and saves it.
func TestBrowserSavesAsItWas(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.world.edited.Condition = "\n data.total > 1\r\n and true "
	fake.world.edited.Description, fake.world.edited.Event = "two\nlines", "Order Completed\r\n "
	fake.world.edited.Mapping = schemas.Mapping{
		Recipients: json.RawMessage(`{"expr":" [user_id,\r\n\tdata.buyer]"}`), Actor: json.RawMessage(`"data.a\nb"`), Tenant: json.RawMessage(`{"value":" "}`),
		Data: map[string]json.RawMessage{
			"\tspaced": json.RawMessage(`{"value":"{x"}`), "a\nb": json.RawMessage(`"data.total"`), "lines": json.RawMessage(`{"value":"a\nb\r"}`),
			"number": json.RawMessage(`{"value":12345678901234567890}`), "null": json.RawMessage(`{"value":null}`), "empty": json.RawMessage(`{"value":""}`), "<b>&amp;": json.RawMessage(`{"expr":"\"</textarea>\""}`),
		},
	}
	want := numbersKept(t, fake.world.edited)
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(newConsole(t, fake.url).url+"/triggers/"+editedID+"/edit"), chromedp.Click("button.primary"))
	tab.Await(`location.search === "?done=trigger-saved"`)
	asked := fake.requests("PATCH", "/triggers/"+editedID)
	got := numbersKept(t, json.RawMessage(asked[len(asked)-1].body))
	for name, value := range got {
		if !reflect.DeepEqual(value, want[name]) {
			t.Errorf("%s was saved as\n%q, want\n%q", name, value, want[name])
		}
	}
}

// TestLateAnswersChangeNothing holds an answer back until a newer one is shown.
func TestLateAnswersChangeNothing(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	target, err := url.Parse(v.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // the browser no longer waits for what is held back
	held, release := make(chan struct{}), make(chan struct{})
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("part") != "" {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			if strings.Contains(string(body), "dat.total") {
				close(held)
				<-release
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	defer late.Close()
	tab := browser.New(t).Tab(t, browser.Look{Width: 1280, Height: 800})
	tab.Do(chromedp.Navigate(late.URL+"/triggers/new?wait=1&event_id="+eventID), chromedp.WaitVisible(".outcomes"))
	browser.Evaluate[bool](tab, `(window.seen = "", new MutationObserver(() => (seen += document.querySelector(".editor").innerText)).observe(document.querySelector(".editor"), { childList: true, subtree: true }), true)`)
	tab.Do(chromedp.SendKeys("#condition", "dat.total"))
	<-held
	tab.Do(chromedp.SendKeys("#condition", strings.Repeat(kb.Backspace, len("dat.total"))+"data.total > 100"))
	tab.Await(`document.querySelector(".outcomes").innerText.includes("10 condition false") && ` + upToDate)
	close(release)
	tab.Do(chromedp.SendKeys("#condition", strings.Repeat(kb.Backspace, len("data.total > 100"))))
	tab.Await(`document.querySelector(".outcomes").innerText.includes("19 matched") && ` + upToDate)
	if browser.Evaluate[bool](tab, `seen.includes("did you mean")`) {
		t.Error("an answer was shown that tells of what is no longer there")
	}
}

func TestEditorIsUsedWithKeysAlone(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	tab := editing(t, fake, "/triggers/new?event_id="+eventID)
	focused := func(id string) { t.Helper(); tab.Await(`document.activeElement.id === "` + id + `"`) }
	tab.Do(chromedp.Focus("#source_id"))
	for _, id := range []string{"environment", "event", "condition", "workflow"} {
		tab.Do(chromedp.KeyEvent(kb.Tab))
		focused(id)
	}
	tab.Do(chromedp.KeyEvent("order-confirmation"), chromedp.Focus("#data-all"), chromedp.KeyEvent(kb.ArrowDown))
	tab.Await(`document.getElementById("data-chosen").checked && document.getElementById("rows").checkVisibility()`)
	tab.Do(chromedp.KeyEvent(kb.Tab + "sku" + kb.Tab + kb.Tab))
	focused("data-0")
	tab.Do(chromedp.Focus(".insert:has([data-path='data.items.0.sku'])"), chromedp.KeyEvent(kb.Enter))
	focused("data-0")
	tab.Await(upToDate)
	tab.Do(chromedp.KeyEvent(kb.Enter))
	tab.Await(`location.search === "?done=trigger-created"`)
	body, _ := fake.sent("POST", "/triggers")
	if mapping, _ := body["mapping"].(map[string]any); !reflect.DeepEqual(mapping["data"], map[string]any{"sku": "data.items.0.sku"}) || body["workflow"] != "order-confirmation" {
		t.Error(body)
	}
}
