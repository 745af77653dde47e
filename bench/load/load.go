// Package load posts events to an endpoint: from a file, over several connections, at a rate or as fast as answers
// come. It repeats what a well-behaved client repeats (no answer, 429, 5xx) with the same body, so that dedup by message
// ID applies, and counts how each event ended. It is what `millrace send` runs.
package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Options says what is posted where.
type Options struct {
	Endpoint    string        // the endpoint's URL
	Rate        float64       // events per second; 0 is as fast as answers come
	Connections int           // requests in flight at most
	GiveUpAfter time.Duration // how long one event is tried
	Sent        func()        // called after each event, from several goroutines
}

// Summary says how the events ended.
type Summary struct {
	Answers map[int]int   // by status code of the last answer; 0 when there was none
	Repeats int           // requests made again
	Refusal string        // the first refusal's body, cut
	Took    time.Duration // from the first request to the last answer
}

// Accepted returns how many events were answered 204.
func (s Summary) Accepted() int { return s.Answers[http.StatusNoContent] }

// Total returns how many events were posted.
func (s Summary) Total() int {
	total := 0
	for _, count := range s.Answers {
		total += count
	}
	return total
}

// Send posts each event of bodies. It returns early, with what was sent until then, when ctx ends.
func Send(ctx context.Context, options Options, bodies [][]byte) (Summary, error) {
	s := sender{
		options: options,
		client:  &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: options.Connections}},
		summary: Summary{Answers: map[int]int{}},
	}
	defer s.client.CloseIdleConnections()
	limit := rate.NewLimiter(rate.Inf, 1)
	if options.Rate > 0 {
		limit.SetLimit(rate.Limit(options.Rate))
		limit.SetBurst(int(max(1, options.Rate/10))) // what a timer that fires late held back is made up for
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(options.Connections)
	started := time.Now()
	for _, body := range bodies {
		if err := limit.Wait(ctx); err != nil {
			break
		}
		group.Go(func() error { return s.event(ctx, body) })
	}
	err := group.Wait()
	s.summary.Took = time.Since(started)
	return s.summary, err
}

type sender struct {
	options Options
	client  *http.Client

	mu      sync.Mutex // guards summary
	summary Summary
}

// event posts one event until it is decided. It fails only when ctx ends.
func (s *sender) event(ctx context.Context, body []byte) error {
	tries := 0
	last, err := backoff.Retry(ctx, func() (answer, error) {
		tries++
		return s.post(ctx, body)
	}, backoff.WithMaxElapsedTime(s.options.GiveUpAfter))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var refused *refusal
	if errors.As(err, &refused) {
		last = refused.answer
	}
	s.count(last, tries)
	s.options.Sent()
	return nil
}

func (s *sender) count(last answer, tries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Answers[last.status]++
	s.summary.Repeats += tries - 1
	if last.status != http.StatusNoContent && s.summary.Refusal == "" {
		s.summary.Refusal = last.text
	}
}

// answer is how a request ended: its status and the beginning of its body, or 0 and why there was none.
type answer struct {
	status int
	text   string
}

// refusal is an answer other than 204.
type refusal struct{ answer }

func (r *refusal) Error() string { return fmt.Sprintf("answered %d: %s", r.status, r.text) }

// answerLimit is how much of a refusal is kept, in bytes.
const answerLimit = 500

func (s *sender) post(ctx context.Context, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.Endpoint, bytes.NewReader(body))
	if err != nil {
		return answer{}, backoff.Permanent(&refusal{answer{0, err.Error()}})
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, &refusal{answer{0, err.Error()}}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return answer{}, &refusal{answer{0, err.Error()}}
	}
	got := answer{response.StatusCode, string(text)}
	switch {
	case got.status == http.StatusNoContent:
		return got, nil
	case got.status != http.StatusTooManyRequests && got.status < http.StatusInternalServerError:
		return got, backoff.Permanent(&refusal{got})
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		return got, errors.Join(&refusal{got}, backoff.RetryAfter(seconds))
	}
	return got, &refusal{got}
}
