package dispatcher

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"golang.org/x/time/rate"
)

// gates holds back calls that an API could not bear, or does not want now. Each environment has its own, and in it each
// workflow its guard, so that none holds back another's.
type gates struct {
	config Config
	logger *slog.Logger
	replay *rate.Limiter // of all environments' runs of replays

	mu           sync.Mutex // guards the field below
	environments map[string]*gate
}

func newGates(config Config, logger *slog.Logger) *gates {
	return &gates{config: config, logger: logger, replay: newReplayLimiter(config.ReplayRate), environments: map[string]*gate{}}
}

// of returns the gate of an environment, a new one when its destination has changed.
func (g *gates) of(environment string, to Destination) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.environments[environment]
	if known == nil || known.to != to {
		known = newGate(g.config, to, g.replay, g.logger.With("environment", environment))
		g.environments[environment] = known
	}
	return known
}

// states counts the workflows that were called by the state of their breaker.
func (g *gates) states() map[circuitbreaker.State]int {
	states := map[circuitbreaker.State]int{}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, gate := range g.environments {
		gate.mu.Lock()
		for _, guard := range gate.workflows {
			states[guard.state()]++
		}
		gate.mu.Unlock()
	}
	return states
}

// gate is of one environment.
type gate struct {
	config Config
	to     Destination
	logger *slog.Logger
	slots  chan struct{}
	rate   *rate.Limiter // nil without a limit
	aside  *aside        // where the runs of replays wait

	mu        sync.Mutex // guards the fields below
	notBefore time.Time
	workflows map[workflowName]guard
}

func newGate(config Config, to Destination, replay *rate.Limiter, logger *slog.Logger) *gate {
	g := &gate{config: config, to: to, logger: logger, workflows: map[workflowName]guard{}}
	slots := config.Concurrency
	if to.Concurrency > 0 {
		slots = to.Concurrency
	}
	g.slots = make(chan struct{}, slots)
	if to.RateLimit > 0 {
		g.rate = newLimiter(to.RateLimit)
	}
	g.aside = newAside(min(config.ReplayConcurrency, max(1, slots/4)), replay, g.rate)
	return g
}

// newLimiter returns a limiter that lets a tenth of a second's calls happen at once.
func newLimiter(perSecond float64) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), int(max(1, math.Ceil(perSecond/10))))
}

func (g *gate) guard(name workflowName) guard {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.workflows[name]
	if known == nil {
		most := min(g.config.WorkflowConcurrency, cap(g.slots))
		if name.isReplay {
			most = min(most, cap(g.aside.slots))
		}
		known = newGuard(most, g.config.BreakerDelay, g.logger.With("workflow", name.workflow, "is_replay", name.isReplay))
		g.workflows[name] = known
	}
	return known
}

// enter waits until a call may be made; the ticket must be left. Where that would take long it returns at once with the
// wait instead, so that nothing is held meanwhile. It fails when ctx ends.
func (g *gate) enter(ctx context.Context, name workflowName) (*ticket, time.Duration, error) {
	if !name.isReplay {
		return g.pass(ctx, name)
	}
	if err := g.aside.enter(ctx); err != nil {
		return nil, 0, err
	}
	t, wait, err := g.pass(ctx, name)
	if err != nil || wait > 0 {
		g.aside.leave()
		return nil, wait, err
	}
	t.aside = g.aside
	return t, 0, nil
}

func (g *gate) pass(ctx context.Context, name workflowName) (*ticket, time.Duration, error) {
	if wait := g.slowed(); wait > 0 {
		return nil, wait, nil
	}
	permission, wait, err := g.guard(name).enter(ctx)
	if err != nil || wait > 0 {
		return nil, wait, err
	}
	t := &ticket{gate: g, pass: permission}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		t.pass.leave(cutOff)
		return nil, 0, ctx.Err()
	}
	t.isPaced, err = g.pace(ctx)
	wait = g.slowed()
	if err != nil || wait > 0 {
		t.leave(cutOff, 0)
		return nil, wait, err
	}
	return t, 0, nil
}

// pace waits for the environment's rate limit, and tells whether it had to.
func (g *gate) pace(ctx context.Context) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if g.rate == nil || g.rate.Allow() {
		return false, nil
	}
	return true, g.rate.Wait(ctx)
}

// slowed returns how long the API does not want to be called.
func (g *gate) slowed() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.notBefore.IsZero() {
		return 0
	}
	return time.Until(g.notBefore)
}

func (g *gate) slow(wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(wait); until.After(g.notBefore) {
		g.notBefore = until
	}
}

// ticket is the permission to make one call.
type ticket struct {
	gate    *gate
	pass    pass
	isPaced bool
	aside   *aside // nil for live runs
}

// leave ends the call. A wait that the API asked for goes for all of the environment's calls: its limits do, too.
func (t *ticket) leave(how verdict, retryAfter time.Duration) {
	<-t.gate.slots
	if t.aside != nil {
		t.aside.leave()
	}
	if retryAfter > 0 {
		t.gate.slow(min(retryAfter, t.gate.config.MaxRetryAfter))
	}
	if how == answered && t.isPaced {
		how = delayed
	}
	t.pass.leave(how)
}
