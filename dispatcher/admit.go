package dispatcher

import "time"

// admitAll puts held runs into their lanes, each partition's in their order, until one has to wait.
func (g *group) admitAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.partitions {
		if len(p.held) > 0 {
			g.admit(p)
		}
	}
}

func (g *group) admit(p *partition) {
	admitted := 0
	for _, j := range p.held {
		if !g.admitOne(p, j) {
			break
		}
		admitted++
	}
	if admitted > 0 {
		p.moved = time.Now()
	}
	p.held = p.held[admitted:]
	if len(p.held) == 0 {
		p.held = nil
	}
}

// admitOne reports false when the run has to wait, and those behind it with it. In the runs topic nobody waits for a
// workflow that is slow: its runs go into a retry topic, where they are read as fast as it takes them.
func (g *group) admitOne(p *partition, j *job) bool {
	if j.run.RunID == "" || p.wasFinished(j.record.Offset) {
		p.skip(j.record.Offset, j.record.LeaderEpoch)
		return true
	}
	if time.Until(j.meta.Due) > 0 || g.crowd.room() <= 0 || p.gap() >= g.config.MaxGap {
		return false
	}
	own, isSlow := g.crowd.enter(workflowOf(&j.run))
	if own != nil {
		j.share = own
		if !p.start(j) {
			own.leave(false)
			return true
		}
		p.queue(j, g.courier.deliver)
		return true
	}
	if !isSlow || p.topic != g.runs || g.courier.isStrict(j) {
		return false
	}
	if p.start(j) {
		g.courier.passOver(j)
	}
	return true
}
