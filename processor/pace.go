package processor

import "time"

// The bounds of one poll. Many records let all deciders work, few let a batch end in time when triggers are slow: what
// was polled must be decided on before the batch can end, and its transaction with it.
const (
	minPollRecords = 100
	maxPollRecords = 20_000
	decideWithin   = 100 * time.Millisecond // what was polled at once
)

// pace knows how many records to poll from how long deciding on the last ones took. It outlives sessions, so that a
// session that was too slow to commit is followed by one that polls less.
type pace struct{ next int }

func newPace() pace { return pace{next: 1000} }

func (p *pace) records() int { return p.next }

// note takes that deciding on so many records took so long. From one poll to the next it at most doubles.
func (p *pace) note(records int, took time.Duration) {
	fitting := maxPollRecords
	if took > 0 {
		fitting = int(float64(records) * float64(decideWithin) / float64(took))
	}
	p.next = max(minPollRecords, min(fitting, 2*p.next, maxPollRecords))
}
