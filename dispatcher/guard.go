package dispatcher

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// guard says when a workflow may be called, going by how its calls went so far.
type guard interface {
	// enter waits for a place among the calls under way; the pass must be left. When the workflow is taken for down it
	// returns at once with the time for which no call may be made. It fails when ctx ends.
	enter(ctx context.Context) (pass, time.Duration, error)
	// state says whether the workflow is taken for down.
	state() circuitbreaker.State
}

// pass is the permission to make one call.
type pass interface {
	leave(how verdict)
}

// verdict is what a call says about the API, which is not what it says about the run: a refusal is an answer.
type verdict int

const (
	answered verdict = iota // as fast as it could
	delayed                 // answered, and the time it took says nothing: the call had to wait for its turn
	failed                  // no answer, or one that says that the API is broken
	hung                    // no answer within the timeout
	cutOff                  // given up by us
)

// When a guard takes a workflow for down: half of the calls of ten seconds fail, if they are twenty, or ten in a row.
const (
	breakerRate    = 0.5
	breakerCalls   = 20
	breakerPeriod  = 10 * time.Second
	failuresInARow = 10
)

// leastConcurrency is what the limiter never goes below: its measure is noisy where answers take a millisecond.
const leastConcurrency = 8

// breakingGuard is a circuit breaker and a limiter that finds out how many calls the API bears.
type breakingGuard struct {
	breaker circuitbreaker.CircuitBreaker[any]
	limiter adaptivelimiter.AdaptiveLimiter[any]
	delay   time.Duration

	mu       sync.Mutex
	failures int // in a row; guarded by mu
}

// newGuard returns a guard that lets most calls be under way at once, and tells when it takes the workflow for down. It
// begins with all of them, because the limiter finds its way up slowly: by one a second.
func newGuard(most int, delay time.Duration, logger *slog.Logger) guard {
	least := min(most, leastConcurrency)
	return &breakingGuard{
		delay: delay,
		breaker: circuitbreaker.NewBuilder[any]().WithFailureRateThreshold(breakerRate, breakerCalls, breakerPeriod).
			WithSuccessThreshold(1).WithDelay(delay).WithJitterFactor(0.25).
			OnOpen(func(e circuitbreaker.StateChangedEvent) {
				if e.OldState == circuitbreaker.ClosedState {
					logger.Warn("most calls for a workflow fail; it is left alone but for one call now and then")
				}
			}).
			OnClose(func(circuitbreaker.StateChangedEvent) { logger.Info("calls for the workflow succeed again") }).Build(),
		limiter: adaptivelimiter.NewBuilder[any]().WithLimits(uint(least), uint(most), uint(most)).
			WithMaxLimitFactor(1000).Build(), // quiet hours must not make the next burst slow
	}
}

func (g *breakingGuard) state() circuitbreaker.State { return g.breaker.State() }

func (g *breakingGuard) enter(ctx context.Context) (pass, time.Duration, error) {
	if wait := g.breaker.RemainingDelay(); wait > 0 {
		return nil, wait, nil
	}
	permit, err := g.limiter.AcquirePermit(ctx)
	if err != nil {
		return nil, 0, err
	}
	if !g.breaker.TryAcquirePermit() {
		permit.Drop()
		return nil, max(g.breaker.RemainingDelay(), g.delay/10), nil // or another call is finding out
	}
	return breakingPass{g, permit}, 0, nil
}

type breakingPass struct {
	guard  *breakingGuard
	permit adaptivelimiter.Permit
}

func (p breakingPass) leave(how verdict) {
	switch how {
	case answered, hung:
		p.permit.Record()
	case delayed, failed, cutOff:
		p.permit.Drop() // its time says nothing about the load
	}
	switch how {
	case answered, delayed:
		p.guard.breaker.RecordSuccess()
		p.guard.count(false)
	case failed, hung:
		p.guard.breaker.RecordFailure()
		p.guard.count(true)
	case cutOff:
		if p.guard.breaker.IsHalfOpen() {
			p.guard.breaker.RecordFailure() // it would wait for its answer for ever
		}
	}
}

func (g *breakingGuard) count(isFailure bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !isFailure {
		g.failures = 0
		return
	}
	g.failures++
	if g.failures >= failuresInARow && g.breaker.IsClosed() {
		g.failures = 0
		g.breaker.Open()
	}
}
