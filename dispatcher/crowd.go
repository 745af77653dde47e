package dispatcher

import (
	"sync"
	"time"

	"github.com/millrace/millrace/schemas"
)

// crowd counts, for each workflow, the runs that are read and not decided. What one may have is at most what is left
// free: a single one gets half of the room, two get a third each, and so on. However many are slow, there is room for
// the next.
type crowd struct {
	most      int
	isPatient bool // whether its runs wait in memory, however crowded it is

	mu     sync.Mutex // guards the fields below, and those of the shares
	all    int
	shares map[workflowName]*share
}

// workflowName identifies a workflow. The runs of replays count apart.
type workflowName struct {
	environment, workflow string
	isReplay              bool
}

func workflowOf(run *schemas.Run) workflowName {
	return workflowName{run.Environment, run.Workflow, run.ReplayID != ""}
}

// share is the runs of one workflow.
type share struct {
	crowd *crowd
	name  workflowName
	count int

	since    time.Time // when this measurement began
	finished int       // runs decided since then
	rate     float64   // runs a second by the last measurement; below 0 when there was none
}

func newCrowd(most int, isPatient bool) *crowd {
	return &crowd{most: most, isPatient: isPatient, shares: map[workflowName]*share{}}
}

// enter adds a run, unless its workflow has as many as it may. isSlow then says that it will have for a while.
func (c *crowd) enter(name workflowName) (s *share, isSlow bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s = c.shares[name]
	if s == nil {
		s = &share{crowd: c, name: name, since: time.Now(), rate: -1}
	}
	if s.count > 0 && s.count >= c.most-c.all {
		s.measure()
		return nil, s.rate >= 0 && s.rate < float64(s.count) // a second or more
	}
	c.shares[name] = s
	c.all++
	s.count++
	return s, false
}

// leave takes a run out. One that only went to wait elsewhere says nothing about how fast the workflow takes runs.
func (s *share) leave(isDecided bool) {
	c := s.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	s.count--
	if isDecided {
		s.finished++
	}
	s.measure()
	if s.count == 0 {
		delete(c.shares, s.name)
	}
}

// measurement is how long runs are counted to tell how many finish in a second.
const measurement = 250 * time.Millisecond

// measure ends a measurement that has been long enough. The crowd's mutex must be held.
func (s *share) measure() {
	took := time.Since(s.since)
	if took < measurement {
		return
	}
	s.rate = float64(s.finished) / took.Seconds()
	s.since, s.finished = time.Now(), 0
}

// isCrowded reports whether the workflow has half as many runs as it may: then none of them should wait in memory.
func (s *share) isCrowded() bool {
	s.crowd.mu.Lock()
	defer s.crowd.mu.Unlock()
	return !s.crowd.isPatient && 2*s.count >= s.crowd.most-s.crowd.all
}

// size returns how many runs are read and not decided.
func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// room returns how many more runs may be read.
func (c *crowd) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most - c.all
}
