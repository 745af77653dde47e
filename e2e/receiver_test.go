package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// receiver is a workflow API in the test's own process, so that it outlives a kill of the pipeline. It counts by
// idempotency key, and notes when a key comes back with another body, which an API that keeps keys would refuse.
type receiver struct {
	*httptest.Server

	mu       sync.Mutex // guards what follows
	bodies   map[string][]byte
	problems []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{bodies: map[string][]byte{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	key := request.Header.Get("Idempotency-Key")
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.bodies[key]
	switch {
	case err != nil:
		r.problems = append(r.problems, fmt.Sprintf("reading the body of %s: %v", key, err))
	case key == "":
		r.problems = append(r.problems, "a request without Idempotency-Key")
	case known && !bytes.Equal(before, body):
		r.problems = append(r.problems, fmt.Sprintf("%s came with two bodies:\n%s\n%s", key, before, body))
	}
	r.bodies[key] = body
	fmt.Fprintf(w, `{"workflow_run_id":"wr-%s"}`, key)
}

// requireExactly expects each of the runs, and no other, whatever number of requests it took.
func (r *receiver) requireExactly(t *testing.T, runs []runItem) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, problem := range r.problems {
		t.Error(problem)
	}
	if len(r.bodies) != len(runs) {
		t.Errorf("the receiver has %d idempotency keys, the log %d runs", len(r.bodies), len(runs))
	}
	for _, run := range runs {
		if _, got := r.bodies[run.ID]; !got {
			t.Errorf("run %s never reached the receiver", run.ID)
		}
	}
}
