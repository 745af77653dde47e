package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"testing"
)

// sent returns the body of the last request of a path.
func (f *fakeAPI) sent(method, path string) (body map[string]any, revision string) {
	f.t.Helper()
	asked := f.requests(method, path)
	if len(asked) == 0 {
		f.t.Fatalf("%s %s was not called", method, path)
	}
	last := asked[len(asked)-1]
	if err := json.Unmarshal([]byte(last.body), &body); err != nil {
		f.t.Fatal(err)
	}
	return body, last.revision
}

func TestSourceIsCreatedAndShown(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	answered := v.post("/sources", url.Values{"name": {" shop "}, "description": {"ours"}}, http.StatusSeeOther)
	if to := answered.header.Get("Location"); to != "/sources/"+shopID+"?done=created" {
		t.Error(to)
	}
	if body, _ := fake.sent("POST", "/sources"); !reflect.DeepEqual(body, map[string]any{"name": "shop", "description": "ours"}) {
		t.Error(body)
	}
	v.get("/sources/"+shopID+"?done=created", http.StatusOK).has(t, "The source is there")
	v.get("/sources/"+shopID+"?done=<b>", http.StatusOK).hasNot(t, "<b>", `class="notice"`)
}

func TestFaultsOfAFormStandAtTheirInputs(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	fake.change(func() {
		fake.refuse["POST /sources"] = refusal{422, "invalid", "name", "name \"shop\" is taken; choose another"}
	})
	v.post("/sources", url.Values{"name": {"shop"}, "description": {"kept"}}, http.StatusUnprocessableEntity).
		has(t, `id="name-error"`, "is taken; choose another.", `value="kept"`)
	fake.change(func() {
		fake.refuse["PATCH /sources/"+shopID] = refusal{422, "invalid", "endpoints.production.signature.secret", "give env:NAME or file:PATH"}
	})
	refused := v.post("/sources/"+shopID+"/endpoints/production", url.Values{
		"endpoints.production.dedup_window": {"6h"}, "endpoints.production.signature.scheme": {"segment"}, "endpoints.production.signature.secret": {"hunter2"}, "revision": {"3"},
	}, http.StatusUnprocessableEntity)
	refused.has(t, `id="endpoints.production.signature.secret-error"`, "Give env:NAME or file:PATH.", `value="6h"`)
	fake.change(func() {
		fake.refuse["PATCH /sources/"+shopID] = refusal{422, "invalid", "something.new", "that cannot be"}
	})
	v.post("/sources/"+shopID, url.Values{"name": {"x"}}, http.StatusUnprocessableEntity).has(t, `role="alert">That cannot be.`)
}

func TestSettingsOfAnEndpointAreSaved(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	f := func(form url.Values, want map[string]any) {
		t.Helper()
		form.Set("revision", "3")
		v.post("/sources/"+shopID+"/endpoints/production", form, http.StatusSeeOther)
		body, revision := fake.sent("PATCH", "/sources/"+shopID)
		if !reflect.DeepEqual(body, map[string]any{"endpoints": map[string]any{"production": want}}) || revision != `"3"` {
			t.Errorf("%v of revision %s, want %v", body, revision, want)
		}
	}
	f(url.Values{"endpoints.production.dedup_window": {"off"}}, map[string]any{"dedup_window": "off", "disabled": false, "max_bytes": 0.0, "signature": nil})
	f(url.Values{
		"endpoints.production.dedup_window": {"6h"}, "endpoints.production.max_bytes": {"65,536"}, "endpoints.production.disabled": {"on"},
		"endpoints.production.signature.scheme": {"segment"}, "endpoints.production.signature.secret": {"env:SECRET"},
	}, map[string]any{"dedup_window": "6h", "disabled": true, "max_bytes": 65536.0, "signature": map[string]any{"scheme": "segment", "secret": "env:SECRET"}})
	f(url.Values{}, map[string]any{}) // an endpoint that is only made
}

func TestKeyIsRotatedWithGrace(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	v := newConsole(t, fake.url)
	answered := v.post("/sources/"+shopID+"/endpoints/production/rotate", url.Values{"grace": {"1h"}, "revision": {"3"}}, http.StatusSeeOther)
	body, revision := fake.sent("POST", "/sources/"+shopID+"/endpoints/production/rotate")
	if body["grace"] != "1h" || revision != `"3"` {
		t.Error(body, revision)
	}
	v.get(answered.header.Get("Location"), http.StatusOK).has(t, "The endpoint has a new URL", "good until")
}

func TestWhoWasTooSlowIsShownWhatItIsNow(t *testing.T) {
	fake := newFakeAPI(t, busyShop())
	fake.refuse["PATCH /sources/"+shopID] = refusal{412, "stale", "If-Match", "revision 3 is wanted and 4 is there"}
	v := newConsole(t, fake.url)
	v.post("/sources/"+shopID, url.Values{"name": {"mine"}, "revision": {"3"}}, http.StatusPreconditionFailed).
		has(t, "Somebody else has changed the source", `value="shop"`)
}
