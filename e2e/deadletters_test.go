package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/rig"
)

// fragile is a workflow API that refuses the workflow "broken" until it is mended.
type fragile struct {
	mu       sync.Mutex // guards what follows
	isMended bool
	calls    []delivered
}

// delivered is one call, as it came over the wire.
type delivered struct{ path, key, body string }

func (f *fragile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, delivered{r.URL.Path, r.Header.Get("Idempotency-Key"), string(body)})
	w.Header().Set("Content-Type", "application/json")
	if strings.Contains(r.URL.Path, "broken") && !f.isMended {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":"unknown_recipient","message":"nobody is called Ünal"}`)
		return
	}
	_, _ = io.WriteString(w, `{"workflow_run_id":"wr-1"}`)
}

func (f *fragile) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.isMended = true
}

// of returns the calls with an idempotency key.
func (f *fragile) of(key string) (found []delivered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if call.key == key {
			found = append(found, call)
		}
	}
	return found
}

// deadLetter is what the tests read of one.
type deadLetter struct {
	RunID      string `json:"run_id"`
	EventID    string `json:"event_id"`
	State      string
	StatusCode int `json:"status_code"`
	Error      string
	Response   string
	Request    struct{ Recipients []string }
	Attempts   []struct {
		Outcome    string
		StatusCode int `json:"status_code"`
	}
}

// broken is a shop with events whose runs the workflow API refuses.
type broken struct {
	*shop
	api *fragile
}

func newBroken(t *testing.T) broken {
	t.Helper()
	b := broken{api: &fragile{}}
	server := httptest.NewServer(b.api)
	t.Cleanup(server.Close)
	b.shop = newShop(t, "--workflow-api-url="+server.URL)
	b.create(object{"event": "Signed Up", "workflow": "broken", "mapping": object{"data": object{"n": "data.n"}}})
	b.create(object{"event": "Signed Up", "workflow": "fine"})
	return b
}

// letters waits until the list has so many dead letters.
func (b broken) letters(query string, n int) (letters []deadLetter) {
	b.t.Helper()
	b.Eventually(fmt.Sprintf("%d dead letters with %s", n, query), func() error {
		values, err := url.ParseQuery(query)
		if err != nil {
			return err
		}
		if letters, err = rig.All[deadLetter](b.Pipeline, "/api/v1/dead-letters", values); err != nil || len(letters) != n {
			return fmt.Errorf("got %+v, %w", letters, err)
		}
		return nil
	})
	return letters
}

func (b broken) show(runID string) (detail deadLetter) {
	b.t.Helper()
	b.Call(http.MethodGet, "/api/v1/dead-letters/"+runID, http.StatusOK, nil, &detail)
	return detail
}

// resent is the answer of the call that sends runs again.
type resent struct {
	Resent     int
	Delivered  []string
	NotFound   []string `json:"not_found"`
	NextCursor *string  `json:"next_cursor"`
}

func (b broken) resend(in object) (out resent) {
	b.t.Helper()
	b.Call(http.MethodPost, "/api/v1/dead-letters/resend", http.StatusOK, in, &out)
	return out
}

func TestRefusedRunIsSentAgainAsItWas(t *testing.T) {
	b := newBroken(t)
	event := b.post(`{"type":"track","event":"Signed Up","userId":"ünal","properties":{"n":9007199254740993}}`)
	letter := b.letters("state=open&environment=production&workflow=broken&text=unknown_RECIPIENT&status_code=400&since=1h", 1)[0]
	detail := b.show(letter.RunID)
	if detail.EventID != event || detail.State != "open" || !strings.Contains(detail.Response, "Ünal") || len(detail.Attempts) != 1 ||
		detail.Attempts[0].StatusCode != http.StatusBadRequest || fmt.Sprint(detail.Request.Recipients) != "[ünal]" {
		t.Errorf("got %+v", detail)
	}
	b.letters("state=delivered", 0)

	const stranger = "00000000-0000-5000-8000-000000000000"
	if got := b.resend(object{"run_ids": []string{letter.RunID, stranger}}); got.Resent != 1 || fmt.Sprint(got.NotFound) != "["+stranger+"]" {
		t.Errorf("got %+v", got)
	}
	b.Eventually("it dies again, and is one dead letter", func() error {
		if detail := b.show(letter.RunID); len(detail.Attempts) != 2 || detail.State != "open" {
			return fmt.Errorf("got %+v", detail)
		}
		return nil
	})
	b.letters("", 1)

	b.api.mend()
	if got := b.resend(object{"run_ids": []string{letter.RunID}}); got.Resent != 1 {
		t.Errorf("got %+v", got)
	}
	b.letters("state=delivered", 1)
	b.letters("state=open", 0)
	if detail := b.show(letter.RunID); detail.State != "delivered" || len(detail.Attempts) != 3 || detail.Attempts[2].Outcome != "delivered" {
		t.Errorf("got %+v", detail)
	}
	if got := b.resend(object{"run_ids": []string{letter.RunID}}); got.Resent != 0 || fmt.Sprint(got.Delivered) != "["+letter.RunID+"]" {
		t.Errorf("got %+v", got)
	}
	calls := b.api.of(letter.RunID)
	if len(calls) != 3 || calls[0] != calls[1] || calls[1] != calls[2] || !strings.Contains(calls[0].body, "9007199254740993") {
		t.Errorf("got %+v", calls)
	}
	var run struct{ Status string }
	if b.Call(http.MethodGet, "/api/v1/runs/"+letter.RunID, http.StatusOK, nil, &run); run.Status != "delivered" {
		t.Errorf("got %+v", run)
	}
}

func TestAllDeadRunsOfAWorkflowAreSentAgainFromTheCommandLine(t *testing.T) {
	b := newBroken(t)
	for i := range 5 {
		b.post(fmt.Sprintf(`{"type":"track","event":"Signed Up","userId":"u-%d"}`, i))
	}
	b.letters("state=open", 5)
	b.api.mend()
	first := b.resend(object{"environment": "production", "workflow": "broken", "state": "open", "limit": 2})
	if first.Resent != 2 || first.NextCursor == nil {
		t.Fatalf("got %+v", first)
	}
	b.letters("state=delivered", 2)
	b.letters("state=open", 3)
	if none := b.resend(object{"environment": "production", "workflow": "fine"}); none.Resent != 0 || none.NextCursor != nil {
		t.Errorf("got %+v", none)
	}
	cli := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		command := exec.CommandContext(t.Context(), rig.Binary(t), append(args, "--api-url="+b.APIURL)...)
		command.Stdout, command.Stderr = &out, &out
		if err := command.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out.String())
		}
		return out.String()
	}
	if out := cli("dead-letter", "list", "-e", "production", "--state=open"); strings.Count(out, "broken") != 3 {
		t.Errorf("got\n%s", out)
	}
	if out := cli("dead-letter", "resend", "-e", "production", "--workflow=broken", "--yes"); !strings.Contains(out, "3 sent again.") {
		t.Errorf("got\n%s", out)
	}
	delivered := b.letters("state=delivered", 5)
	for _, letter := range delivered {
		if calls := b.api.of(letter.RunID); len(calls) != 2 || calls[0] != calls[1] {
			t.Errorf("%s: %+v", letter.RunID, calls)
		}
	}
}
