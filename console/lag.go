package console

import (
	"slices"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

// lag is how far the processor is behind ingest: how long events take from receipt to decision, as the latest ones tell.
type lag struct {
	Events  int // that it was told from
	Decided int
	Half    float64 // of those were decided within so many milliseconds
	Slowest float64 // milliseconds
	Waiting int     // events that should be decided by now
	Oldest  float64 // since when the oldest of those waits, in milliseconds
	Since   time.Time
}

// undecidedFor is how long an event may wait for its decision before the overview says that the processor is behind.
const undecidedFor = 10 * time.Second

func lagOf(recent []query.EventItem, now time.Time) lag {
	told := lag{Events: len(recent)}
	var took []float64
	for _, event := range recent {
		if event.Status != "" {
			// Clocks of machines differ: before it was received nothing is decided.
			took = append(took, max(0, float64(event.DecidedAt.Sub(event.ReceivedAt).Milliseconds())))
			continue
		}
		if event.ReceivedAt.Before(now.Add(-undecidedFor)) {
			told.Waiting++
			told.Since, told.Oldest = event.ReceivedAt, float64(now.Sub(event.ReceivedAt).Milliseconds())
		}
	}
	if told.Decided = len(took); told.Decided > 0 {
		slices.Sort(took)
		told.Half, told.Slowest = took[(len(took)-1)/2], took[len(took)-1]
	}
	return told
}

// IsKnown tells whether an event has been decided about, or waits for too long.
func (l lag) IsKnown() bool { return l.Decided > 0 || l.Waiting > 0 }
