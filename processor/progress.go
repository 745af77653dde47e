package processor

import (
	"fmt"
	"sync"
	"time"
)

// progress is how far a partition's events have been read again.
type progress struct {
	mu           sync.Mutex // guards the fields below
	began        time.Time  // zero while nothing is being read
	from, at, to int64
}

func (p *progress) begin(from, to int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.from, p.at, p.to = time.Now(), from, from, to
}

func (p *progress) reach(offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = offset
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = time.Time{}
}

// String says for people how much is done, and how fast it goes.
func (p *progress) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began.IsZero() {
		return "waiting for its position"
	}
	done := p.at - p.from
	perSecond := float64(done) / max(time.Since(p.began).Seconds(), 1e-9)
	return fmt.Sprintf("%d of %d events, %.0f%%, %.0f events/s", done, p.to-p.from, 100*float64(done)/float64(p.to-p.from), perSecond)
}
