package processor

import (
	"sync"
	"sync/atomic"
	"time"
)

// A trigger may take this long on an event, over its condition and mapping. One in five of the last evaluations may
// take longer: a single one says more about the machine (a collection of garbage, a neighbour) than about the trigger.
const (
	slowAfter   = 10 * time.Millisecond
	slowHistory = 100
	slowLimit   = 20
)

// reasonOff is what decisions say about a trigger that is switched off for slowness.
const reasonOff = "the trigger was switched off because evaluating it takes more than 10ms again and again; simplify it, a change switches it on"

// slowness counts the slow ones among the last evaluations of a trigger. The zero value has seen none.
type slowness struct {
	slow    atomic.Int32 // how many of wasSlow are set; written while mu is held
	mu      sync.Mutex   // guards what follows
	wasSlow [slowHistory]bool
	at      int // where the next evaluation is noted, in a ring
}

// note adds an evaluation and reports whether slow ones have become too many.
func (s *slowness) note(took time.Duration) bool {
	isSlow := took > slowAfter
	if !isSlow && s.slow.Load() == 0 {
		return false // nothing to remember, and nothing in the ring to forget
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wasSlow[s.at] {
		s.slow.Add(-1)
	}
	s.wasSlow[s.at] = isSlow
	if isSlow {
		s.slow.Add(1)
	}
	s.at = (s.at + 1) % slowHistory
	return s.slow.Load() >= slowLimit
}

// timedTogether is how many triggers are timed with one look at the clock, which takes as long as a short condition.
const timedTogether = 16

// consideredIn notes how long asking triggers about an event took. Only where that was long, each is timed by itself,
// by being asked once more about the event as if it were the first to look at it.
func (d decision) consideredIn(took time.Duration, triggers []*compiledTrigger) {
	for _, trigger := range triggers {
		each := time.Duration(0)
		if took > slowAfter && trigger.Invalid == nil && !trigger.isOff.Load() {
			d.LookAgain()
			each = d.timeOf(trigger)
		}
		trigger.note(each, d.EventID)
	}
}

func (d decision) timeOf(trigger *compiledTrigger) (took time.Duration) {
	start := time.Now()
	defer func() {
		_ = recover() // it showed when the trigger was asked
		took = time.Since(start)
	}()
	d.Evaluate(trigger.Bound)
	return took
}
