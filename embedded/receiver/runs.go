package receiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// Bounds of what is kept. Beyond either, the oldest runs are forgotten with their keys: sent again, such a run counts
// as a new one.
const (
	maxKeptRuns  = 10_000
	maxKeptBytes = 64 << 20 // of bodies
)

// errKeyReused says that an idempotency key came back with another request. Knock refuses that too.
var errKeyReused = errors.New("the idempotency key was used for another request before")

// Received is one run that arrived, however often it was sent.
type Received struct {
	Key           string          `json:"key"` // the idempotency key, which is Millrace's run ID; may be empty
	Workflow      string          `json:"workflow"`
	WorkflowRunID string          `json:"workflow_run_id"`
	Body          json.RawMessage `json:"body"` // a schemas.RunRequest; listed as the same JSON value, perhaps with other escapes
	Requests      int             `json:"requests"`
	ArrivedAt     time.Time       `json:"arrived_at"` // of the first request
}

// Count is how much arrived since the start.
type Count struct {
	Requests     int `json:"requests"`      // calls of the trigger endpoint
	Rejected     int `json:"rejected"`      // of these, refused
	Runs         int `json:"runs"`          // new runs
	DistinctKeys int `json:"distinct_keys"` // of these, with an idempotency key
	Kept         int `json:"kept"`          // runs that GET /runs can still list
}

// runs are the newest runs and the counts of all.
type runs struct {
	maxRuns  int
	maxBytes int

	mu    sync.Mutex // guards the fields below
	total Count
	bytes int
	order []*Received // oldest first
	byKey map[string]*Received
}

func newRuns(maxRuns, maxBytes int) *runs {
	return &runs{maxRuns: maxRuns, maxBytes: maxBytes, byKey: map[string]*Received{}}
}

// add notes a request. It returns the run as it is now and whether it is new. It fails when the key belongs to another
// request.
func (r *runs) add(received Received) (kept Received, isNew bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.Requests++
	if earlier, seen := r.byKey[received.Key]; seen {
		if earlier.Workflow != received.Workflow || !bytes.Equal(earlier.Body, received.Body) {
			r.total.Rejected++
			return Received{}, false, errKeyReused
		}
		earlier.Requests++
		return *earlier, false, nil
	}
	r.keep(&received)
	return received, true, nil
}

func (r *runs) keep(received *Received) {
	r.total.Runs++
	if received.Key != "" {
		r.total.DistinctKeys++
		r.byKey[received.Key] = received
	}
	r.order = append(r.order, received)
	r.bytes += len(received.Body)
	for len(r.order) > r.maxRuns || r.bytes > r.maxBytes && len(r.order) > 1 {
		oldest := r.order[0]
		r.order = r.order[1:]
		r.bytes -= len(oldest.Body)
		delete(r.byKey, oldest.Key)
	}
}

// reject counts a request that was refused before it came to add.
func (r *runs) reject() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.Requests++
	r.total.Rejected++
}

// newest returns up to limit runs, the newest first. Their bodies are shared and must not be changed.
func (r *runs) newest(limit int) []Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := make([]Received, 0, min(limit, len(r.order)))
	for i := len(r.order) - 1; i >= 0 && len(listed) < limit; i-- {
		listed = append(listed, *r.order[i])
	}
	return listed
}

func (r *runs) count() Count {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := r.total
	total.Kept = len(r.order)
	return total
}
