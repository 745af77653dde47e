package receiver_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/embedded/receiver"
)

// fasthttp leaves two goroutines behind by design: a clock that never ends, and a cleaner that sleeps up to 10 s.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const body = `{"recipients":["ada"],"data":{"n":9007199254740993}}`

// fixture is a running receiver and what it showed.
type fixture struct {
	*receiver.Receiver
	t     *testing.T
	http  *http.Client
	mu    sync.Mutex
	shown []receiver.Received
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, http: &http.Client{Transport: &http.Transport{}}}
	var err error
	f.Receiver, err = receiver.Start(t.Context(), receiver.Options{
		Addr:   "127.0.0.1:0",
		Logger: slog.New(slog.DiscardHandler),
		Show: func(r receiver.Received) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.shown = append(f.shown, r)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.http.CloseIdleConnections()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// post triggers a workflow and returns the status, the answer's workflow_run_id or code, and its headers.
func (f *fixture) post(path, key, body string) (int, string, http.Header) {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.URL()+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer anything")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := f.http.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		WorkflowRunID string `json:"workflow_run_id"`
		Code          string `json:"code"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		f.t.Fatal(err)
	}
	return response.StatusCode, answer.WorkflowRunID + answer.Code, response.Header
}

func (f *fixture) get(path string, into any) int {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.URL()+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	response, err := f.http.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		f.t.Fatalf("%s: %v", text, err)
	}
	return response.StatusCode
}

func (f *fixture) requireCount(want receiver.Count) {
	f.t.Helper()
	var got receiver.Count
	if f.get("/", &got); got != want {
		f.t.Errorf("count is %+v, want %+v", got, want)
	}
}

func (f *fixture) list(query string) []receiver.Received {
	f.t.Helper()
	var page struct{ Items []receiver.Received }
	if status := f.get("/runs"+query, &page); status != 200 {
		f.t.Fatalf("GET /runs%s: %d", query, status)
	}
	return page.Items
}

func TestRunIsAnsweredShownAndListed(t *testing.T) {
	f := start(t)
	status, id, header := f.post("/v1/workflows/order%2Fconfirmation/trigger", "run-1", body)
	if status != 200 || len(id) != 36 || header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("answered %d %s %v", status, id, header)
	}
	listed := f.list("")
	if len(listed) != 1 || len(f.shown) != 1 {
		t.Fatalf("listed %v, shown %v", listed, f.shown)
	}
	got := listed[0]
	if got.Key != "run-1" || got.Workflow != "order/confirmation" || got.WorkflowRunID != id || string(got.Body) != body || got.Requests != 1 || got.ArrivedAt.IsZero() {
		t.Errorf("listed %+v", got)
	}
	f.requireCount(receiver.Count{Requests: 1, Runs: 1, DistinctKeys: 1, Kept: 1})
}

func TestSameKeyIsTheSameRun(t *testing.T) {
	f := start(t)
	_, first, _ := f.post("/v1/workflows/w/trigger", "run-1", body)
	status, again, header := f.post("/v1/workflows/w/trigger", "run-1", body)
	if status != 200 || again != first || header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("answered %d %s, the first time %s", status, again, first)
	}
	if listed := f.list(""); len(listed) != 1 || listed[0].Requests != 2 || len(f.shown) != 1 {
		t.Errorf("listed %+v, shown %+v", listed, f.shown)
	}
	f.requireCount(receiver.Count{Requests: 2, Runs: 1, DistinctKeys: 1, Kept: 1})
}

func TestKeyWithAnotherRequestIsRefused(t *testing.T) {
	f := start(t)
	f.post("/v1/workflows/w/trigger", "run-1", body)
	for path, body := range map[string]string{"/v1/workflows/w/trigger": body + " ", "/v1/workflows/v/trigger": body} {
		if status, code, _ := f.post(path, "run-1", body); status != 409 || code != "idempotency_key_reused" {
			t.Errorf("%s: answered %d %s", path, status, code)
		}
	}
	f.requireCount(receiver.Count{Requests: 3, Rejected: 2, Runs: 1, DistinctKeys: 1, Kept: 1})
}

func TestCallsWithoutAKeyAreRunsOfTheirOwn(t *testing.T) {
	f := start(t)
	_, first, _ := f.post("/v1/workflows/w/trigger", "", body)
	_, second, _ := f.post("/v1/workflows/w/trigger", "", body)
	if first == second {
		t.Errorf("both are %s", first)
	}
	f.requireCount(receiver.Count{Requests: 2, Runs: 2, Kept: 2})
}

func TestWhatIsNoRunIsRefused(t *testing.T) {
	f := start(t)
	check := func(path, key, body string, wantStatus int, wantCode string) {
		t.Helper()
		if status, code, _ := f.post(path, key, body); status != wantStatus || code != wantCode {
			t.Errorf("%s %.40s: answered %d %s, want %d %s", path, body, status, code, wantStatus, wantCode)
		}
	}
	check("/v1/workflows/w/trigger", "k", "", 422, "invalid_request")
	check("/v1/workflows/w/trigger", "k", "{", 422, "invalid_request")
	check("/v1/workflows/w/trigger", "k", `{"recipients":"ada"}`, 422, "invalid_request")
	check("/v1/workflows/w/trigger", "k", `{"recipients":[]}`, 422, "invalid_request")
	check("/v1/workflows/w/trigger", strings.Repeat("k", 256), body, 422, "invalid_request")
	check("/v1/workflows/w/trigger", "k", strings.Repeat(" ", 1<<20+1), 413, "request_too_large")
	check("/v1/workflows/w/cancel", "k", body, 404, "unknown_endpoint")
	check("/runs", "k", body, 405, "unknown_endpoint")
	f.requireCount(receiver.Count{Requests: 5, Rejected: 5})
	if len(f.shown) != 0 {
		t.Errorf("shown %+v", f.shown)
	}
}

func TestRunsAreListedNewestFirstUpToALimit(t *testing.T) {
	f := start(t)
	for i := range 120 {
		f.post("/v1/workflows/w/trigger", fmt.Sprint("run-", i), body)
	}
	if listed := f.list(""); len(listed) != 100 || listed[0].Key != "run-119" || listed[99].Key != "run-20" {
		t.Errorf("listed %d runs", len(listed))
	}
	if listed := f.list("?limit=10000"); len(listed) != 120 {
		t.Errorf("listed %d runs", len(listed))
	}
	var refused any
	for _, limit := range []string{"0", "-1", "10001"} {
		if status := f.get("/runs?limit="+limit, &refused); status != 422 {
			t.Errorf("limit %s: %d", limit, status)
		}
	}
}

func TestConcurrentCallsWithOneKeyAreOneRun(t *testing.T) {
	f := start(t)
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() { f.post("/v1/workflows/w/trigger", fmt.Sprint("run-", i%10), body) })
	}
	calls.Wait()
	f.requireCount(receiver.Count{Requests: 100, Runs: 10, DistinctKeys: 10, Kept: 10})
	if len(f.shown) != 10 {
		t.Errorf("%d runs shown, want 10", len(f.shown))
	}
}

func TestCloseRightAfterStartEnds(t *testing.T) {
	for range 50 {
		r, err := receiver.Start(t.Context(), receiver.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTakenAddressIsReported(t *testing.T) {
	f := start(t)
	addr := strings.TrimPrefix(f.URL(), "http://")
	if _, err := receiver.Start(t.Context(), receiver.Options{Addr: addr}); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("got %v", err)
	}
}

func TestSummaryIsOneSafeLine(t *testing.T) {
	f := func(r receiver.Received, want string) {
		t.Helper()
		if got := r.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f(receiver.Received{Key: "run-1", Workflow: "w", Body: []byte(body)}, `w for ada  run run-1  {"n":9007199254740993}`)
	f(receiver.Received{Key: "r", Workflow: "w", Body: []byte(`{"recipients":["a",{"id":"b","name":"B"},{"x":1},"d","e"]}`)},
		`w for a, b, {"x":1} and 2 more  run r`)
	f(receiver.Received{Key: "r", Workflow: "a\x1b[31m", Body: []byte(`{"recipients":["x\ny\u009b"],"data":"` + strings.Repeat("ä", 200) + `"}`)},
		"a�[31m for x�y�  run r  \""+strings.Repeat("ä", 99)+"…")
	f(receiver.Received{Body: []byte(`garbage`)}, " for   run ")
}
