package main

import (
	"fmt"
	"math/bits"
	"runtime"
	"sync/atomic"
	"time"
)

// pauses says how long single checks took, by the wall clock. Checks are grouped, and the kernel is asked after each group
// how long the thread was ready to run and had to wait for a processor: that is the machine's share, not the index's.
type pauses struct {
	counts  [64 * buckets]int64
	checks  int64
	longest group // the one with the longest check
	own     group // the one whose longest check is longest without the waiting

	group   group // the one under way
	started time.Time
	threads threads
}

// group is some checks in a row.
type group struct {
	check  time.Duration // the longest
	took   time.Duration // of the whole group
	waited time.Duration
}

// buckets is into how many parts counts divides the time between two powers of two.
const buckets = 8

func newPauses() (*pauses, error) {
	p := &pauses{started: time.Now(), threads: threads{known: map[int]*thread{}}}
	_, err := p.threads.waited()
	return p, err
}

func (p *pauses) add(took time.Duration) {
	p.checks++
	p.counts[bucket(took)]++
	p.group.check = max(p.group.check, took)
}

func bucket(took time.Duration) int {
	power := max(bits.Len64(uint64(took)), 4)
	return power*buckets + int(uint64(took)>>(power-4))%buckets
}

// atMost returns the upper end of a bucket.
func atMost(bucket int) time.Duration {
	power, part := bucket/buckets, bucket%buckets
	return time.Duration(buckets+part+1) << (power - 4)
}

func (p *pauses) endGroup() error {
	waited, err := p.threads.waited()
	if err != nil {
		return err
	}
	now := time.Now()
	p.group.took, p.group.waited = now.Sub(p.started), waited
	if p.group.check > p.longest.check {
		p.longest = p.group
	}
	if p.group.less() > p.own.less() {
		p.own = p.group
	}
	p.group, p.started = group{}, now
	return nil
}

// percentile returns what all but one check in so many stay below.
func (p *pauses) percentile(oneIn int64) time.Duration {
	above := p.checks / oneIn
	for i := len(p.counts) - 1; i >= 0; i-- {
		if above -= p.counts[i]; above < 0 {
			return atMost(i)
		}
	}
	return 0
}

func (p *pauses) String() string {
	return fmt.Sprintf("longest check %s\nlongest check without the wait for a processor %s\n99.99%% of the checks took at most %s, 99.9999%% %s",
		p.longest, p.own, p.percentile(10_000), p.percentile(1_000_000))
}

// less returns the longest check without the waiting.
func (g group) less() time.Duration { return g.check - g.waited }

func (g group) String() string {
	at := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("%s (around it %d checks took %s, of which waiting %s)", at(g.check), settleEvery, at(g.took), at(g.waited))
}

// calibrate returns the longest pause that the machine imposes in some seconds on a thread that does nothing but look at
// the clock, while another one is busy, as the sealer is.
func calibrate() time.Duration {
	var done atomic.Bool
	go func() {
		for !done.Load() { // busy
		}
	}()
	defer done.Store(true)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var longest time.Duration
	began := time.Now()
	for last := began; last.Sub(began) < 3*time.Second; {
		now := time.Now()
		longest = max(longest, now.Sub(last))
		last = now
	}
	return longest.Round(10 * time.Microsecond)
}
