package dispatcher

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// aside is where runs of replays wait at an environment's gate, so that live runs pass: for one of few places, for the
// replays' own rate, and where the environment has a rate limit, until live runs leave something of it.
type aside struct {
	slots   chan struct{}
	replays *rate.Limiter // of all environments
	live    *rate.Limiter // the environment's; nil without a limit
}

func newAside(slots int, replays, live *rate.Limiter) *aside {
	return &aside{slots: make(chan struct{}, slots), replays: replays, live: live}
}

func newReplayLimiter(perSecond float64) *rate.Limiter {
	if perSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return newLimiter(perSecond)
}

// enter waits for all of them. It holds a place until leave, unless it fails, which it does when ctx ends.
func (a *aside) enter(ctx context.Context) error {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := a.pace(ctx)
	if err != nil {
		a.leave()
	}
	return err
}

func (a *aside) leave() { <-a.slots }

func (a *aside) pace(ctx context.Context) error {
	if err := a.replays.Wait(ctx); err != nil {
		return err
	}
	if a.live == nil {
		return ctx.Err()
	}
	// Half of what may be called at once stays for live runs that come now.
	for a.live.Tokens() < float64(a.live.Burst())/2 {
		timer := time.NewTimer(time.Duration(float64(time.Second) / float64(a.live.Limit())))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return nil
}
