package console_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/browser"
	"github.com/millrace/millrace/schemas"
)

// fakeAPI is a management API that knows a world. What it is asked and what it answers is held against the OpenAPI
// document, as the answers of the real one are: it cannot drift away from it.
type fakeAPI struct {
	t        *testing.T
	url      string
	contract *rig.Contract
	server   *httptest.Server

	slow map[string]bool // paths that are answered when nobody waits any longer; set before it serves

	mu       sync.Mutex // guards what follows
	world    world
	tokens   map[string]api.Me // none: it asks for none
	refuse   map[string]refusal
	asked    []asked
	spoil    func(map[string]any) // changes answers, which then need not be as the document says
	came     []query.EventItem    // since the start of the live view
	answered func(path string)    // changes the world after an answer
	dryRun   fakeDryRun
}

// refusal is an answer that says no.
type refusal struct {
	status               int
	code, field, message string
}

// asked is a request that came.
type asked struct {
	method, path, query, token, body, revision, key string
}

func newFakeAPI(t *testing.T, knows world) *fakeAPI {
	t.Helper()
	contract, err := rig.NewContract(schemas.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeAPI{t: t, contract: contract, world: knows, refuse: map[string]refusal{}}
	f.server = httptest.NewServer(f)
	f.url = f.server.URL
	t.Cleanup(f.server.Close)
	return f
}

// change changes the fake while it serves.
func (f *fakeAPI) change(with func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	with()
}

// awaitNothingToCome waits until what came has been fetched.
func (f *fakeAPI) awaitNothingToCome() {
	f.t.Helper()
	deadline := time.After(browser.Patience)
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for {
		var left int
		f.change(func() { left = len(f.came) })
		if left == 0 {
			return
		}
		select {
		case <-deadline:
			f.t.Fatal("nobody has asked for what came")
		case <-ticks.C:
		}
	}
}

// requests returns what was asked of a path.
func (f *fakeAPI) requests(method, path string) []asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []asked
	for _, a := range f.asked {
		if a.method == method && a.path == path {
			found = append(found, a)
		}
	}
	return found
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if f.slow[strings.TrimPrefix(r.URL.Path, "/api/v1")] {
		<-r.Context().Done()
		return
	}
	if f.serveDryRun(w, r, body) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	f.asked = append(f.asked, asked{r.Method, path, r.URL.RawQuery, token, string(body), r.Header.Get("If-Match"), r.Header.Get("Idempotency-Key")})
	status, answer := f.answer(r, path, token)
	encoded, err := json.Marshal(answer)
	if err != nil {
		f.t.Error(err)
	}
	if f.spoil != nil && status == http.StatusOK && path != "/me" {
		var tree map[string]any
		_ = json.Unmarshal(encoded, &tree)
		f.spoil(tree)
		encoded, _ = json.Marshal(tree)
	} else {
		header := http.Header{"Etag": {`"1"`}, "Www-Authenticate": {"Bearer"}, "Retry-After": {"10"}}
		exchange := rig.Exchange{Method: r.Method, Path: r.URL.Path, Sent: body, Answer: rig.Answer{Status: status, Header: header, Body: encoded}}
		if status == http.StatusNoContent {
			exchange.Answer.Body = nil
		}
		if err := f.contract.Check(exchange); err != nil {
			f.t.Error(err)
		}
	}
	if f.answered != nil {
		f.answered(path)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_, _ = w.Write(encoded)
	}
}

func no(status int, code, field, message string) (int, any) {
	problem := map[string]any{"code": code, "message": message}
	if field != "" {
		problem["field"] = field
	}
	if status == http.StatusUnprocessableEntity {
		problem["problems"] = []any{map[string]any{"code": code, "message": message, "field": field}}
	}
	return status, map[string]any{"error": problem}
}

func items[T any](all []T) map[string]any {
	if all == nil {
		all = []T{}
	}
	return map[string]any{"items": all, "next_cursor": nil}
}

func (f *fakeAPI) answer(r *http.Request, path, token string) (int, any) {
	me := api.Me{Name: api.LoopbackActor, Scope: "admin"}
	if len(f.tokens) > 0 {
		known, found := f.tokens[token]
		if !found {
			return no(401, "unauthorized", "", "give a token")
		}
		me = known
	}
	if refusal, found := f.refuse[r.Method+" "+path]; found {
		return no(refusal.status, refusal.code, refusal.field, refusal.message)
	}
	for _, answer := range []func(*http.Request, string, api.Me) (int, any){
		f.triggersAnswer, f.editorAnswer, f.runsAnswer, f.replaysAnswer, f.analyticsAnswer, f.settingsAnswer,
	} {
		if status, body := answer(r, path, me); status != 0 {
			return status, body
		}
	}
	if r.Method != http.MethodGet {
		return f.write(r, path, me)
	}
	switch path {
	case "/me":
		return 200, me
	case "/sources":
		return 200, items(f.sourcesFor(me))
	case "/environments":
		return 200, items(f.world.environments)
	case "/event-names":
		return 200, items(f.world.names)
	case "/events":
		return 200, f.events(r)
	case "/rejections":
		return 200, items(f.world.rejections)
	case "/analytics/series":
		return 200, f.series(r)
	case "/analytics/dedup":
		return 200, f.world.dedup
	case "/analytics/latency":
		return 200, f.world.latency
	case "/events/" + f.world.detail.ID:
		return 200, f.world.detail
	}
	for _, source := range f.sourcesFor(me) {
		if path == "/sources/"+source.ID || path == "/sources/"+source.Name {
			return 200, source
		}
	}
	return no(404, "not_found", "", fmt.Sprintf("%s: not found", path))
}

// sourcesFor masks what a token that may only read does not see.
func (f *fakeAPI) sourcesFor(me api.Me) []api.Source {
	if me.Scope != "read" {
		return f.world.sources
	}
	var masked []api.Source
	for _, source := range f.world.sources {
		endpoints := map[string]api.Endpoint{}
		for environment, endpoint := range source.Endpoints {
			endpoint.Key, endpoint.URL = "***", "https://events.example.com/v1/receive/***"
			endpoints[environment] = endpoint
		}
		source.Endpoints = endpoints
		masked = append(masked, source)
	}
	return masked
}

func (f *fakeAPI) events(r *http.Request) any {
	answer := items(f.world.events)
	if r.URL.Query().Has("after") {
		answer = items(f.world.events[:min(3, len(f.world.events))])
		answer["next_cursor"] = "after-3"
		if r.URL.Query().Get("after") == "after-3" {
			answer["items"] = append([]query.EventItem{}, f.came...)
			f.came = nil
		}
		return answer
	}
	if len(f.world.events) > 0 && r.URL.Query().Get("cursor") == "" && !r.URL.Query().Has("id") {
		answer["next_cursor"] = "page-2"
	}
	return answer
}

func (f *fakeAPI) series(r *http.Request) any {
	series := f.world.series
	if r.URL.Query().Get("by") == "source" && len(series.Series) > 0 {
		id, other := shopID, mobileID
		first, second := series.Series[0], series.Series[1]
		first.Value, second.Value = &id, &other
		series.Series = append(series.Series[:0:0], first, second)
	}
	return series
}

func (f *fakeAPI) write(r *http.Request, path string, me api.Me) (int, any) {
	if me.Scope == "read" {
		return no(403, "forbidden", "", "this needs a token with the scope write")
	}
	switch {
	case r.Method == http.MethodPost && path == "/sources":
		return 201, f.world.sources[0]
	case r.Method == http.MethodDelete:
		return 204, nil
	}
	return 200, f.world.sources[0]
}
