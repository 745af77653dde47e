package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

// historyText is the history of the page as one reads it, without its markup.
func (p page) historyText() string {
	_, history, _ := strings.Cut(p.body, `id="history"`)
	history, _, _ = strings.Cut(history, "</section>")
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(history, " ")
	return strings.Join(strings.Fields(text), " ")
}

func TestHistoryTellsWhatEachRevisionChanged(t *testing.T) {
	v := newConsole(t, newFakeAPI(t, busyShop()).url)
	loaded := v.get("/triggers/"+orderID, http.StatusOK)
	text := loaded.historyText()
	for _, want := range []string{
		"Revision 4 updated by ci, 2026-03-01 06:00:00.000 UTC condition data.total &gt; 100 &amp;&amp; Before: data.currency == &#34;USD&#34; &amp;&amp; After: data.currency == &#34;EUR&#34; &amp;&amp; len(data.items) &gt; 0",
		"data.total Before: computed: data.total * 100 After: data.total", "data.first_item After: data.items.0.sku",
		"Revision 3 updated by ada, 2026-02-26 18:00:00.000 UTC Bring back revision 3 status Before: inactive After: active Revision 2",
		"recipients Before: default: user_id After: user_id", "data Before: default: all properties",
		"Revision 1 created by grace, 2026-02-01 08:00:00.000 UTC Bring back revision 1 What it was made as environment After: production source After: shop event",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the history has not %q:\n%s", want, text)
		}
	}
	loaded.has(t, `<del><span class="hidden">Before: </span>data.currency == &#34;USD&#34; &amp;&amp;</del>`)
	if strings.Contains(text, "Bring back revision 4") {
		t.Error("what the trigger is now can be brought back")
	}
}

func TestHistoryIsReadPageByPage(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	v.get("/triggers/"+orderID, http.StatusOK).hasNot(t, "Pages of the history")
	v.get("/triggers/"+orderID+"?history=c-2", http.StatusOK).has(t, `href="/triggers/`+orderID+`#history">Newest</a>`)
	asked, _ := url.ParseQuery(fake.requests("GET", "/audit")[1].query)
	want := url.Values{"kind": {"trigger"}, "resource": {orderID}, "limit": {"10"}, "cursor": {"c-2"}}
	if asked.Encode() != want.Encode() {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}

func TestRevisionIsBroughtBackButForItsState(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	path := "/triggers/" + orderID + "/revisions/3"
	at := noon().Add(-90 * time.Hour)
	v.get("/triggers/"+orderID, http.StatusOK).has(t, `action="`+path+`"`, `name="at" value="`+at.Format(time.RFC3339)+`"`)
	form := url.Values{"revision": {"4"}, "at": {at.Format(time.RFC3339Nano)}}
	to := v.post(path, form, http.StatusSeeOther).header.Get("Location")
	body, revision := fake.sent("PATCH", "/triggers/"+orderID)
	mapping, _ := body["mapping"].(map[string]any)
	data, _ := mapping["data"].(map[string]any)
	_, hasState := body["status"]
	if to != "/triggers/"+orderID+"?done=trigger-restored" || revision != `"4"` || hasState || len(data) != 2 ||
		!strings.Contains(body["condition"].(string), "USD") || body["name"] != "confirm-order" || body["source_id"] != shopID {
		t.Errorf("%s with %v of revision %s", to, body, revision)
	}
	v.get(to, http.StatusOK).has(t, "The trigger is what it was at that revision")
	fake.change(func() {
		fake.refuse["PATCH /triggers/"+orderID] = refusal{422, "invalid", "name", "name \"confirm-order\" is taken in production"}
	})
	v.post(path, form, http.StatusUnprocessableEntity).has(t, `role="alert">Name &#34;confirm-order&#34; is taken in production.`)
}

func TestRevisionIsBroughtBackOnlyWhereItDiffersAndIs(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(revision, at string, status int) page {
		t.Helper()
		return v.post("/triggers/"+orderID+"/revisions/"+revision, url.Values{"revision": {"4"}, "at": {at}}, status)
	}
	to := f("4", noon().Add(-30*time.Hour).Format(time.RFC3339Nano), http.StatusSeeOther).header.Get("Location")
	v.get(to, http.StatusOK).has(t, "Nothing was changed")
	f("3", "yesterday", http.StatusBadRequest).has(t, "load the trigger&#39;s page again")
	f("17", noon().Add(-90*time.Hour).Format(time.RFC3339Nano), http.StatusNotFound).has(t, "no such revision")
	if len(fake.requests("PATCH", "/triggers/"+orderID)) > 0 {
		t.Error("the trigger was changed")
	}
}

func TestDeletedTriggerShowsWhatItWas(t *testing.T) {
	world := busyShop()
	v := newConsole(t, newFakeAPI(t, world).url)
	loaded := v.get("/triggers/"+goneID, http.StatusNotFound)
	loaded.has(t, "This trigger is deleted", "winback", "Cart Abandoned", "Revision 2 <span", `<span class="badge idle">deleted</span>`)
	loaded.hasNot(t, "Bring back", "/edit", "Delete it", "Deactivate")
	// Of one that is only called like the address there is nothing to show.
	world.audit = []query.AuditItem{world.audit[0]}
	world.audit[0].Name = "trg_by_name"
	newConsole(t, newFakeAPI(t, world).url).get("/triggers/trg_by_name", http.StatusNotFound).hasNot(t, "winback")
}
