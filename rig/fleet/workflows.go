package fleet

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/millrace/millrace/rig/ledger"
)

// Workflows is a workflow API that keeps idempotency keys as Knock's does: a key that comes back with the same bytes gets
// the first answer again, one with other bytes is refused. It counts what it did for the ledger.
type Workflows struct {
	URL string

	mu      sync.Mutex // guards all below
	script  Script
	effects map[string]*ledger.Effect
}

// Script decides about a call before anything else does: it returns false where it has answered it by itself. It may wait.
type Script func(answer http.ResponseWriter, call *http.Request, body []byte) bool

func newWorkflows(t testing.TB) *Workflows {
	w := &Workflows{effects: map[string]*ledger.Effect{}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// Follow makes it follow a script; nil is to answer everything at once.
func (w *Workflows) Follow(script Script) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.script = script
}

// Started returns how many runs were.
func (w *Workflows) Started() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.effects)
}

// Effects returns what it did, by run ID.
func (w *Workflows) Effects() map[string]ledger.Effect {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]ledger.Effect{}
	for key, effect := range maps.All(w.effects) {
		all[key] = *effect
	}
	return all
}

func (w *Workflows) ServeHTTP(answer http.ResponseWriter, call *http.Request) {
	body, err := io.ReadAll(call.Body)
	if err != nil {
		return // the caller is gone
	}
	w.mu.Lock()
	script := w.script
	w.mu.Unlock()
	if script != nil && !script(answer, call, body) {
		return
	}
	w.Begin(answer, call, body)
}

// Begin starts the run that a call asks for, once, and answers. Scripts use it to start a run and answer too late.
func (w *Workflows) Begin(answer http.ResponseWriter, call *http.Request, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := call.Header.Get("Idempotency-Key")
	effect := w.effects[key]
	if effect == nil {
		effect = &ledger.Effect{Starts: 1, Body: body}
		w.effects[key] = effect
	}
	if !bytes.Equal(effect.Body, body) {
		effect.Changed++
		http.Error(answer, "this key came with another body before", http.StatusConflict)
		return
	}
	effect.Calls++
	if effect.Calls > 1 {
		answer.Header().Set("Idempotent-Replayed", "true")
	}
	_, _ = fmt.Fprintf(answer, `{"workflow_run_id":"wf-%s"}`, key) // the caller may be gone
}
