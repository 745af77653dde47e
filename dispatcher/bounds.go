package dispatcher

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// stuckFor is how long the first run that was read of a partition may wait for a place before reading it pauses. What
// the client has fetched of a paused partition is fetched again, which takes longer than most waits.
const stuckFor = 100 * time.Millisecond

// measure returns how many more runs may be read. What waits for a place in a paused partition does not count: it takes
// no room from others.
func (g *group) measure() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	room, bytes := g.crowd.room(), g.config.MaxOutstandingBytes
	for _, p := range g.partitions {
		bytes -= p.load()
		if !p.isPaused {
			room -= len(p.held)
		}
	}
	if bytes <= 0 {
		return 0
	}
	return room
}

// steer pauses the partitions that must not be read now and resumes the others.
func (g *group) steer(client *kgo.Client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for _, p := range g.partitions {
		gap := p.gap()
		if gap >= g.config.MaxGap/2 {
			p.evict()
		}
		isWide := gap >= g.config.MaxGap
		switch {
		case !p.isPaused && (isWide || p.isStuck(now) || p.foreign != ""):
			p.isPaused = true
			client.PauseFetchPartitions(p.set())
			if isWide {
				g.logger.Warn("reading a partition pauses: its oldest run is not finished, and too many after it are",
					"topic", p.topic, "partition", p.id, "gap", gap)
			}
		case p.isPaused && p.foreign == "" && p.ready() && gap <= g.config.MaxGap/2 && len(p.held) == 0:
			p.isPaused = false
			client.ResumeFetchPartitions(p.set())
		}
	}
}

// isStuck reports whether what was read of the partition waits, for its time or for a place.
func (p *partition) isStuck(now time.Time) bool {
	return len(p.held) > 0 && (p.held[0].meta.Due.After(now) || now.Sub(p.moved) > stuckFor)
}
