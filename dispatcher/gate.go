package dispatcher

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gates holds back calls that an API could not bear, or does not want now. Each environment has its own, and in it each
// workflow its guard, so that none holds back another's.
type gates struct {
	config Config
	logger *slog.Logger

	mu           sync.Mutex // guards the field below
	environments map[string]*gate
}

func newGates(config Config, logger *slog.Logger) *gates {
	return &gates{config: config, logger: logger, environments: map[string]*gate{}}
}

// of returns the gate of an environment, a new one when its destination has changed.
func (g *gates) of(environment string, to Destination) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.environments[environment]
	if known == nil || known.to != to {
		known = newGate(g.config, to, g.logger.With("environment", environment))
		g.environments[environment] = known
	}
	return known
}

// gate is of one environment.
type gate struct {
	config Config
	to     Destination
	logger *slog.Logger
	slots  chan struct{}
	rate   *rate.Limiter // nil without a limit

	mu        sync.Mutex // guards the fields below
	notBefore time.Time
	workflows map[string]guard
}

func newGate(config Config, to Destination, logger *slog.Logger) *gate {
	g := &gate{config: config, to: to, logger: logger, workflows: map[string]guard{}}
	slots := config.Concurrency
	if to.Concurrency > 0 {
		slots = to.Concurrency
	}
	g.slots = make(chan struct{}, slots)
	if to.RateLimit > 0 {
		g.rate = rate.NewLimiter(rate.Limit(to.RateLimit), int(max(1, math.Ceil(to.RateLimit/10))))
	}
	return g
}

func (g *gate) guard(workflow string) guard {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.workflows[workflow]
	if known == nil {
		known = newGuard(min(g.config.WorkflowConcurrency, cap(g.slots)), g.config.BreakerDelay, g.logger.With("workflow", workflow))
		g.workflows[workflow] = known
	}
	return known
}

// enter waits until a call may be made; the ticket must be left. Where that would take long it returns at once with the
// wait instead, so that nothing is held meanwhile. It fails when ctx ends.
func (g *gate) enter(ctx context.Context, workflow string) (*ticket, time.Duration, error) {
	if wait := g.slowed(); wait > 0 {
		return nil, wait, nil
	}
	permission, wait, err := g.guard(workflow).enter(ctx)
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
}

// leave ends the call. A wait that the API asked for goes for all of the environment's calls: its limits do, too.
func (t *ticket) leave(how verdict, retryAfter time.Duration) {
	<-t.gate.slots
	if retryAfter > 0 {
		t.gate.slow(min(retryAfter, t.gate.config.MaxRetryAfter))
	}
	if how == answered && t.isPaced {
		how = delayed
	}
	t.pass.leave(how)
}
