package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/millrace/millrace/schemas"
)

// responseBytes is how much of an answer that is not 2xx a delivery record keeps.
const responseBytes = 4 << 10

// courier takes one run from its first attempt to its end, or into a retry topic. Lanes use it at once; gates bound the
// calls.
type courier struct {
	config       Config
	destinations Destinations
	logger       *slog.Logger
	starters     map[Kind]starter
	gates        *gates
	delivered    *delivered
	complaints   *complaints
	records      recorder
	metrics      *metrics
}

// visit is what is known of a run while it is in memory.
type visit struct {
	began    time.Time
	waits    *schedule         // from the first retry on
	attempts []schemas.Attempt // those before included
}

// step is what follows for a run.
type step struct {
	kind stepKind
	wait time.Duration // before the next attempt, for again and park
}

type stepKind int

const (
	over   stepKind = iota // nothing is left to do
	again                  // try again after the wait
	park                   // put it into a retry topic
	halted                 // no new call may start
)

// deliver attempts a run until it is delivered, dead, or in a retry topic. It reports false when its partition was
// stopped before that; the run is then unfinished, and whoever reads the partition next begins anew.
func (c *courier) deliver(j *job) bool {
	if c.wasDelivered(j) {
		j.release()
		return true
	}
	v := &visit{began: time.Now(), attempts: j.meta.Attempts}
	for {
		next := c.attempt(j, v)
		if next.kind == again {
			next = c.rest(j, next)
		}
		switch next.kind {
		case again:
			continue
		case halted:
			return false
		case park:
			c.park(j, v, next.wait)
		case over:
		}
		j.release()
		return true
	}
}

// rest waits in memory and says what follows: an attempt, or a retry topic when the run cannot wait here any longer.
func (c *courier) rest(j *job, next step) step {
	switch j.rest(next.wait) {
	case stopped:
		next.kind = halted
	case evicted:
		if !c.isStrict(j) {
			next.kind = park
		}
	case rightAway:
	}
	return next
}

// wasDelivered reports whether the run was delivered before, by this dispatcher or another.
func (c *courier) wasDelivered(j *job) bool {
	found, err := c.delivered.has(j.run.RunID)
	if err != nil {
		c.records.fail(&transientError{fmt.Errorf("looking for run %s among the delivered ones: %w", j.run.RunID, err)})
		return false
	}
	if found {
		c.metrics.skipped.Inc()
		c.logger.Debug("a run was delivered before and is not sent again", "run_id", j.run.RunID)
	}
	return found
}

func (c *courier) isStrict(j *job) bool {
	to, _ := c.destinations.Destination(j.run.Environment)
	return to.Order == Strict
}

// attempt makes one attempt when it is time for it, and says what follows.
func (c *courier) attempt(j *job, v *visit) step {
	if j.partition.running.Err() != nil {
		return step{kind: halted}
	}
	delivery := newDelivery(j.run, v.number(), time.Now())
	if age := c.age(j); age >= c.config.MaxAge {
		delivery.Outcome = schemas.Dead
		delivery.Error = fmt.Sprintf("not tried: the run is %s old, the limit is %s", age.Round(time.Second), c.config.MaxAge)
		c.metrics.attempted(delivery.Outcome, notTried)
		c.report(j, v, delivery, 0)
		return step{kind: over}
	}
	got, wait, err := c.call(j, &delivery)
	switch {
	case err != nil:
		return step{kind: halted}
	case wait > 0:
		wait += time.Duration(rand.Int64N(int64(wait)/10 + 1))          // or all would come back at once
		isLong := wait > c.config.BreakerDelay/5 && j.share.isCrowded() // a shorter one is for a call that finds out
		return c.where(j, v, wait, isLong)
	case got.isUntold:
		return step{kind: over}
	}
	describe(&delivery, got)
	v.note(delivery)
	next := step{kind: over}
	if delivery.Outcome == schemas.Retrying {
		if v.waits == nil {
			v.waits = newSchedule(c.config)
		}
		// One that comes from a retry topic has one attempt each time, and none waits where there is no room.
		next = c.where(j, v, v.waits.next(got.retryAfter), j.meta.Parked > 0 || j.share.isCrowded())
		c.limitAge(j, &delivery, next.wait)
		if delivery.Outcome == schemas.Dead {
			next.kind = over
		}
	}
	c.metrics.attempted(delivery.Outcome, got.class())
	c.report(j, v, delivery, next.wait)
	return next
}

// call calls the destination once, in its turn. It returns a wait instead when that is not now, and an error when the
// partition was stopped before there was an answer, which says nothing about the run.
func (c *courier) call(j *job, delivery *schemas.Delivery) (answer, time.Duration, error) {
	to, known := c.destinations.Destination(j.run.Environment)
	if !known || to.Kind == HTTP && to.BaseURL == "" {
		return answer{err: fmt.Errorf("environment %q has no workflow API that can be called: set its base URL, or, if that is set, see the log for why its API key cannot be read", j.run.Environment)}, 0, nil
	}
	if to.Kind == KafkaOnly {
		return c.starters[to.Kind].start(j.partition.calls, to, j.run, ""), 0, nil
	}
	ticket, wait, err := c.gates.of(j.run.Environment, to).enter(j.partition.running, workflowOf(&j.run))
	if err != nil || wait > 0 {
		return answer{}, wait, err
	}
	c.metrics.inFlight.Add(1)
	began := time.Now()
	delivery.AttemptedAt = began.UTC()
	got := c.start(j, to, delivery)
	took := time.Since(began)
	c.metrics.inFlight.Add(-1)
	c.metrics.seconds.Observe(took.Seconds())
	delivery.LatencyMs = float64(took) / float64(time.Millisecond)
	if j.partition.calls.Err() != nil {
		ticket.leave(cutOff, 0)
		return got, 0, context.Canceled
	}
	if got.outcome() != schemas.Retrying {
		got.retryAfter = 0
	}
	ticket.leave(got.verdict(), got.retryAfter)
	return got, 0, nil
}

// where says where a run waits for its next attempt: in memory, with the other runs of its key behind it, as long as
// that is not for too long; then in a retry topic.
func (c *courier) where(j *job, v *visit, wait time.Duration, isLong bool) step {
	isLong = isLong || time.Since(v.began)+wait > c.config.RetryInPlace
	if !isLong || c.isStrict(j) {
		return step{kind: again, wait: wait}
	}
	_, parked := c.tier(j, wait)
	return step{kind: park, wait: parked}
}

// age counts from when the run was made, or sent again by a person.
func (c *courier) age(j *job) time.Duration {
	if !j.meta.Resent.IsZero() {
		return time.Since(j.meta.Resent)
	}
	return time.Since(j.run.CreatedAt)
}

// limitAge makes a run dead that would be too old at its next attempt.
func (c *courier) limitAge(j *job, delivery *schemas.Delivery, wait time.Duration) {
	if c.age(j)+wait < c.config.MaxAge {
		return
	}
	delivery.Outcome = schemas.Dead
	delivery.Error += fmt.Sprintf("; given up: at the next attempt the run would be older than %s", c.config.MaxAge)
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

// describe writes an answer into its record.
func describe(delivery *schemas.Delivery, got answer) {
	delivery.Outcome = got.outcome()
	delivery.StatusCode = got.status
	delivery.Error = got.reason()
	if delivery.Outcome == schemas.Delivered {
		delivery.WorkflowRunID = workflowRunID(got.body)
	} else {
		delivery.Response = string(got.body[:min(len(got.body), responseBytes)])
	}
}
