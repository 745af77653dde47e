package dispatcher

import "github.com/twmb/franz-go/pkg/kgo"

// heldRuns is how many runs of a partition may be read and wait for a place; then reading it pauses. What the client has
// fetched of a paused partition is fetched again, so pausing for every moment's wait would cost more than it saves.
const heldRuns = 1000

// measure returns how many more runs may be read.
func (g *group) measure() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	room, bytes := g.crowd.room(), g.config.MaxOutstandingBytes
	for _, p := range g.partitions {
		bytes -= p.load()
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
	for _, p := range g.partitions {
		gap := p.gap()
		if gap >= g.config.MaxGap/2 {
			p.evict()
		}
		switch isWide := gap >= g.config.MaxGap; {
		case !p.isPaused && (isWide || g.holdsEnough(p)):
			p.isPaused = true
			client.PauseFetchPartitions(p.set())
			if isWide {
				g.logger.Warn("reading a partition pauses: its oldest run is not finished, and too many after it are",
					"topic", p.topic, "partition", p.id, "gap", gap)
			}
		case p.isPaused && p.ready() && gap <= g.config.MaxGap/2 && len(p.held) <= heldRuns/2 && !g.waits(p):
			p.isPaused = false
			client.ResumeFetchPartitions(p.set())
		}
	}
}

// holdsEnough reports whether a partition has enough runs that wait for a place. A retry topic, where waiting is the
// rule, is read a bit at a time.
func (g *group) holdsEnough(p *partition) bool { return len(p.held) > heldRuns || g.waits(p) }

func (g *group) waits(p *partition) bool { return p.topic != g.runs && len(p.held) > 0 }
