package load_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/bench/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint answers each body's n-th posting with the n-th of its statuses, the last one for ever.
type endpoint struct {
	mu       sync.Mutex
	statuses map[string][]int
	posted   map[string]int
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	statuses := e.statuses[string(body)]
	n := min(e.posted[string(body)], len(statuses)-1)
	e.posted[string(body)]++
	if statuses[n] == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "0")
	}
	w.WriteHeader(statuses[n])
	if statuses[n] != http.StatusNoContent {
		_, _ = io.WriteString(w, "no: "+string(body))
	}
}

func send(ctx context.Context, t *testing.T, statuses map[string][]int, bodies ...string) (load.Summary, *endpoint, error) {
	t.Helper()
	e := &endpoint{statuses: statuses, posted: map[string]int{}}
	server := httptest.NewServer(e)
	defer server.Close()
	var raw [][]byte
	for _, body := range bodies {
		raw = append(raw, []byte(body))
	}
	summary, err := load.Send(ctx, load.Options{Endpoint: server.URL, Connections: 4, GiveUpAfter: 5 * time.Second, Sent: func() {}}, raw)
	return summary, e, err
}

func TestEveryEventIsPostedAndCounted(t *testing.T) {
	summary, _, err := send(t.Context(), t, map[string][]int{"a": {204}, "b": {204}, "c": {422}}, "a", "b", "c")
	if err != nil {
		t.Fatal(err)
	}
	if summary.Total() != 3 || summary.Accepted() != 2 || summary.Answers[422] != 1 || summary.Refusal != "no: c" || summary.Repeats != 0 {
		t.Errorf("%+v", summary)
	}
}

func TestUnavailableIsTriedAgainWithTheSameBody(t *testing.T) {
	summary, e, err := send(t.Context(), t, map[string][]int{"a": {503, 429, 204}}, "a")
	if err != nil {
		t.Fatal(err)
	}
	if summary.Accepted() != 1 || summary.Repeats != 2 || e.posted["a"] != 3 {
		t.Errorf("%+v, posted %v", summary, e.posted)
	}
}

func TestNobodyListeningIsCountedAsNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	summary, err := load.Send(t.Context(), load.Options{Endpoint: server.URL, Connections: 1, GiveUpAfter: time.Millisecond, Sent: func() {}}, [][]byte{[]byte("a")})
	if err != nil || summary.Answers[0] != 1 || summary.Refusal == "" {
		t.Errorf("%+v, %v", summary, err)
	}
}

func TestSendingStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := send(ctx, t, map[string][]int{"a": {204}}, "a"); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLinesOfAFileAreRead(t *testing.T) {
	lines, err := load.ReadLines(strings.NewReader("{\"a\":1}\n\n {\"b\":2} \n"))
	if err != nil || len(lines) != 2 || string(lines[1]) != `{"b":2}` {
		t.Errorf("%q, %v", lines, err)
	}
}
