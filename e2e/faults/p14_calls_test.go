package faults

import (
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// limit is a rate limit that is always exceeded: each round begins with a call, and lasts as long as its answer asks for.
type limit struct {
	mu                      sync.Mutex // guards all below
	began                   time.Time  // the round
	refusals, early, rounds int
}

func (l *limit) answer(answer http.ResponseWriter, _ *http.Request, _ []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusals++
	since := time.Since(l.began)
	switch {
	case since >= retryAfter:
		l.rounds++
		l.began, since = time.Now(), 0
	case since > time.Second: // before that it was under way when the answer came
		l.early++
	}
	left := (retryAfter - since + time.Second - 1) / time.Second
	answer.Header().Set("Retry-After", strconv.Itoa(int(left)))
	answer.WriteHeader(http.StatusTooManyRequests)
	return false
}

func (l *limit) summary() (refusals, early, rounds int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusals, l.early, l.rounds
}

// runs is those of people with an even number.
type runs struct {
	mu   sync.Mutex // guards keys
	keys map[string]struct{}
}

func (r *runs) note(call *http.Request, body []byte) {
	if !regexp.MustCompile(`"u[0-9]*[02468]"`).Match(body) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[call.Header.Get("Idempotency-Key")] = struct{}{}
}

func (r *runs) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys)
}
