package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace/millrace/schemas"
)

// responseBytes is how much of an answer that is not 2xx a delivery record keeps.
const responseBytes = 4 << 10

// courier takes one run from its first attempt to its end. Lanes use it at once; slots bounds the calls.
type courier struct {
	config       Config
	destinations Destinations
	logger       *slog.Logger
	calls        *caller
	slots        chan struct{}
	complaints   *complaints
	records      recorder
}

// deliver attempts a run until it is delivered or dead. It reports false when its partition was stopped before that;
// the run is then unfinished, and whoever reads the partition next begins anew with attempt 1.
func (c *courier) deliver(j *job) bool {
	waits := newSchedule(c.config)
	for number := 1; ; number++ {
		if !c.acquire(j.partition.running) {
			return false
		}
		delivery, retryAfter := c.attempt(j, number)
		<-c.slots
		if j.partition.calls.Err() != nil {
			return false // the call was cut off, which says nothing about the run
		}
		wait := waits.next(retryAfter)
		c.limitAge(j.run, &delivery, wait)
		c.report(j, delivery, wait)
		if delivery.Outcome != schemas.Retrying {
			j.release()
			return true
		}
		if !pause(j.partition.running, wait) {
			return false
		}
	}
}

// acquire waits for a slot and reports false when ctx ended.
func (c *courier) acquire(ctx context.Context) bool {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil {
		<-c.slots
		return false
	}
	return true
}

// attempt makes one attempt, unless the run is too old for it, and returns its record with the wait the API asked for.
func (c *courier) attempt(j *job, number int) (schemas.Delivery, time.Duration) {
	now := time.Now()
	delivery := newDelivery(j.run, number, now)
	if age := now.Sub(j.run.CreatedAt); age >= c.config.MaxAge {
		delivery.Outcome = schemas.Dead
		delivery.Error = fmt.Sprintf("not tried: the run is %s old, the limit is %s", age.Round(time.Second), c.config.MaxAge)
		return delivery, 0
	}
	got := c.call(j)
	delivery.LatencyMs = float64(time.Since(now)) / float64(time.Millisecond)
	delivery.Outcome = got.outcome()
	delivery.StatusCode = got.status
	delivery.Error = got.reason()
	if delivery.Outcome == schemas.Delivered {
		delivery.WorkflowRunID = workflowRunID(got.body)
	} else {
		delivery.Response = string(got.body[:min(len(got.body), responseBytes)])
	}
	return delivery, got.retryAfter
}

func (c *courier) call(j *job) answer {
	destination, known := c.destinations.Destination(j.run.Environment)
	if !known || destination.BaseURL == "" {
		return answer{err: fmt.Errorf("environment %q has no workflow API: set its base URL", j.run.Environment)}
	}
	return c.calls.call(j.partition.calls, destination, j.run)
}

// limitAge makes a run dead that would be too old at its next attempt.
func (c *courier) limitAge(run schemas.Run, delivery *schemas.Delivery, wait time.Duration) {
	if delivery.Outcome != schemas.Retrying || time.Since(run.CreatedAt)+wait < c.config.MaxAge {
		return
	}
	delivery.Outcome = schemas.Dead
	delivery.Error += fmt.Sprintf("; given up: at the next attempt the run would be older than %s", c.config.MaxAge)
}

// pause waits and reports false when ctx ended first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func newDelivery(run schemas.Run, number int, at time.Time) schemas.Delivery {
	return schemas.Delivery{
		Schema:      schemas.Version,
		RunID:       run.RunID,
		EventID:     run.EventID,
		Environment: run.Environment,
		Workflow:    run.Workflow,
		Attempt:     number,
		AttemptedAt: at.UTC(),
	}
}
