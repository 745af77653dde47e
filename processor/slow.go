package processor

import "time"

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
	wasSlow [slowHistory]bool // a ring
	at      int               // where the next evaluation is noted
	slow    int               // how many of wasSlow are set
}

// note adds an evaluation and reports whether slow ones have become too many.
func (s *slowness) note(took time.Duration) bool {
	isSlow := took > slowAfter
	if s.slow == 0 && !isSlow {
		return false // nothing to remember, and nothing in the ring to forget
	}
	if s.wasSlow[s.at] {
		s.slow--
	}
	s.wasSlow[s.at] = isSlow
	if isSlow {
		s.slow++
	}
	s.at = (s.at + 1) % slowHistory
	return s.slow >= slowLimit
}

// stopwatch measures consecutive spans with one look at the clock for each.
type stopwatch struct {
	start time.Time
	at    time.Duration
}

func newStopwatch() stopwatch { return stopwatch{start: time.Now()} }

// lap returns the time since the last call.
func (w *stopwatch) lap() time.Duration {
	before := w.at
	w.at = time.Since(w.start)
	return w.at - before
}
