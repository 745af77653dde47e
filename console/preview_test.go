package console_test

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// noise is a text that compresses as badly as one can.
func noise(seed int) string {
	text := make([]byte, 24<<10)
	if _, err := rand.NewChaCha8([32]byte{byte(seed)}).Read(text); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

func TestPreviewShowsWhatTheTriggerWouldDo(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	shown := v.post("/triggers/preview", orderForm("id", editedID, "mapping.actor.kind", "path", "mapping.actor.value", "data.buyer"), http.StatusOK)
	shown.has(t, "<h1>Edit trigger</h1>", "9 matched</span>", "10 condition false</span>", "1 mapping error</span>", "data.total &gt; 100 is false: data.total is 97.5", "mapping.recipients: user_id is not in the event",
		"&#34;coupon&#34;: &#34;&lt;script&gt;alert(1)&lt;/script&gt;&#34;", `href="/events/`+eventID+`"`, `name="revision" value="4"`, `action="/triggers/`+editedID+`"`,
		`id="mapping.actor-slot"><div class="fault hint"><p>data.buyer is not in the last 20 events.`)
	body, _ := fake.sent("POST", "/triggers/preview")
	if trigger, _ := body["trigger"].(map[string]any); trigger["condition"] != "data.total > 100 &&\n data.currency == \"EUR\"" || trigger["source_id"] != shopID || body["last"] != 20.0 {
		t.Error(body)
	}
	if len(fake.requests("PATCH", "/triggers/"+editedID))+len(fake.requests("POST", "/triggers")) > 0 {
		t.Error("a preview has saved something")
	}
}

func TestPreviewForAScriptIsThePartOfThePage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	form := orderForm(row("", "path", "")...)
	for i, more := 0, row("coupon", "path", "data.coupon"); i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	form.Set("data", "chosen")
	fragment := v.post("/triggers/preview?part=1", form, http.StatusOK)
	fragment.has(t, `id="preview"`, "9 matched", `id="fields"`, `data-path="data.items.0.sku"`, "&lt;b&gt;Enjoy", `data-input="data-1" data-hint`, "3 of the last 20 events have it.")
	fragment.hasNot(t, "<html", "<form", "<h1")
	whole := v.post("/triggers/preview", form, http.StatusOK)
	for _, part := range []string{"preview", "fields"} {
		if of := section(t, fragment.body, part); !strings.Contains(whole.body, of) {
			t.Errorf("the page has another %s than the script gets:\n%s", part, of)
		}
	}
	if fragment.header.Get("Cache-Control") != "no-store" {
		t.Error(fragment.header)
	}
}

// section is a section of a page, by its ID.
func section(t *testing.T, body, id string) string {
	t.Helper()
	from := strings.Index(body, `<section class="card" id="`+id+`"`)
	to := strings.Index(body[max(from, 0):], "</section>")
	if from < 0 || to < 0 {
		t.Fatalf("no section %s in\n%s", id, body)
	}
	return body[from : from+to]
}

func TestErrorsOfACompilerStandAtTheInputWithTheLine(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	form := orderForm()
	form.Set("condition", "data.total > 1 and\r\n  dat.currency == \"EUR\"")
	shown := v.post("/triggers/preview", form, http.StatusOK)
	shown.has(t, "did you mean &#34;data&#34;?", "Line 2, column 3", "<pre>  <mark>dat</mark>.currency == &#34;EUR&#34;</pre>", "Something is to be mended first", `<a href="#condition">`)
	shown.hasNot(t, "9 matched")
	v.post("/triggers", form, http.StatusSeeOther) // what the API saves is the API's to say
}

func TestRowsAreAddedWithoutScripts(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	form := orderForm(row("order", "path", "data.order_id")...)
	form.Set("data", "chosen")
	form.Set("add", "rows")
	shown := v.post("/triggers/preview", form, http.StatusOK)
	shown.has(t, `value="order"`, `value="data.order_id"`)
	if rows := strings.Count(shown.body, `name="data.key"`); rows != 5 {
		t.Errorf("%d rows, want the one there is and four empty ones", rows)
	}
}

func TestEditorComesWithoutThePreviewWhereThatTakesLong(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.slow = map[string]bool{"/triggers/preview": true}
	v := newConsole(t, fake.url)
	v.send(http.MethodGet, "/triggers/"+editedID+"/edit", nil, nil).has(t, `id="beside" data-refresh="0"`, "Loading…", "/edit?wait=1", `value="order-confirmation"`)
}

func TestFailureOfThePreviewLeavesTheFormUsable(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["POST /triggers/preview"] = refusal{422, "too_slow", "last", "the preview took more than 10s; ask about fewer events"}
	v := newConsole(t, fake.url)
	v.get("/triggers/"+editedID+"/edit", http.StatusOK).has(t, "the preview took more than 10s", "data-path=", `class="primary"`)
	v.post("/triggers/"+editedID, orderForm(), http.StatusSeeOther)
}
