package api

import (
	"sync"
	"time"

	"github.com/millrace/millrace/schemas"
)

// How fast a replay is. Kafka knows where it stands; the speed comes from where it stood when somebody asked before.

// ReplayProgress says how far a replay is, and how fast.
type ReplayProgress struct {
	schemas.ReplayProgress
	Percent float64 `json:"percent"` // of the offsets to read, 0 to 100
	// EventsPerSecond is how many offsets were passed in a second: while it runs over the last minute, or since somebody
	// asked first, or since it was started; of one that is completed, over all its time. Nil where that is not known.
	EventsPerSecond *float64 `json:"events_per_second"`
	SecondsLeft     *float64 `json:"seconds_left"` // at this speed; nil where that is not known, or nothing is left
}

// The bounds of what is kept to tell speeds.
const (
	paceOver  = time.Minute
	paceEvery = time.Second
	maxPaces  = 64 // what is forgotten beyond is measured anew
)

// mark is where a replay stood at a moment.
type mark struct {
	at   time.Time
	done int64
}

// pace keeps marks of the last minute, a second apart, and one before them. It is for one goroutine at a time.
type pace []mark

// perSecond returns the speed up to now, and whether it is known.
func (p *pace) perSecond(now mark) (float64, bool) {
	for len(*p) > 1 && now.at.Sub((*p)[1].at) >= paceOver {
		*p = (*p)[1:]
	}
	if len(*p) == 0 || now.at.Sub((*p)[len(*p)-1].at) >= paceEvery {
		*p = append(*p, now)
	}
	first := (*p)[0]
	took := now.at.Sub(first.at)
	return float64(now.done-first.done) / took.Seconds(), took >= paceEvery
}

// paces has the pace of every replay that is asked about while it runs.
type paces struct {
	mu sync.Mutex        // guards of
	of map[stretch]*pace // never nil
}

// stretch is a time in which a replay ran: each pause ends one, and has a revision of its own.
type stretch struct {
	id       string
	revision int64
}

func newPaces() *paces { return &paces{of: map[stretch]*pace{}} }

// progress completes how far a replay is by how fast it is.
func (p *paces) progress(replay schemas.Replay, now schemas.ReplayProgress) ReplayProgress {
	switch {
	case replay.State == schemas.ReplayRunning && !replay.StartedAt.IsZero():
		perSecond, isKnown := p.perSecond(replay, mark{time.Now(), now.Done})
		return progressAt(now, perSecond, isKnown)
	case replay.State == schemas.ReplayCompleted:
		took := replay.EndedAt.Sub(replay.StartedAt)
		return progressAt(now, float64(now.Done)/took.Seconds(), took > 0)
	}
	return progressAt(now, 0, false)
}

func (p *paces) perSecond(replay schemas.Replay, now mark) (float64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := stretch{replay.ID, replay.Revision}
	if p.of[at] == nil {
		if len(p.of) >= maxPaces {
			clear(p.of)
		}
		p.of[at] = new(pace)
		if replay.UpdatedAt.Equal(replay.StartedAt) { // it was never paused
			*p.of[at] = pace{{replay.StartedAt, 0}}
		}
	}
	return p.of[at].perSecond(now)
}

// progressAt is how far something is that has this speed.
func progressAt(now schemas.ReplayProgress, perSecond float64, isKnown bool) ReplayProgress {
	if now.Errors == nil {
		now.Errors = map[string]int64{}
	}
	made := ReplayProgress{ReplayProgress: now, Percent: now.Percent()}
	if !isKnown {
		return made
	}
	made.EventsPerSecond = &perSecond
	if left := now.Total - now.Done; left > 0 && perSecond > 0 {
		seconds := float64(left) / perSecond
		made.SecondsLeft = &seconds
	}
	return made
}
