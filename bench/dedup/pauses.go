package main

import (
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"time"
)

// pauses says how long single checks took, by the wall clock. For the longest it tells the machine's share from the
// index's: the kernel counts how long a thread was ready to run and had to wait for a processor (schedstat in proc(5)).
// That is asked for once in a group of checks.
type pauses struct {
	stat    *os.File
	counts  [64 * buckets]int64
	checks  int64
	longest group
	ownMost time.Duration // the longest check less the waiting in its group, of all groups

	group   group // the one under way
	waited  time.Duration
	ran     time.Duration
	started time.Time
}

// group is some checks in a row.
type group struct {
	check             time.Duration // the longest
	took, ran, waited time.Duration // of the whole group
}

// buckets is into how many parts counts divides the time between two powers of two.
const buckets = 8

func (p *pauses) open() error {
	stat, err := os.Open("/proc/thread-self/schedstat")
	if err != nil {
		return err
	}
	p.stat, p.started = stat, time.Now()
	p.ran, p.waited, err = p.read()
	return err
}

func (p *pauses) close() { p.stat.Close() }

func (p *pauses) read() (ran, waited time.Duration, err error) {
	var line [96]byte
	n, err := p.stat.ReadAt(line[:], 0)
	if n == 0 {
		return 0, 0, err
	}
	_, err = fmt.Sscan(string(line[:n]), &ran, &waited)
	return ran, waited, err
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
	ran, waited, err := p.read()
	if err != nil {
		return err
	}
	now := time.Now()
	p.group.took, p.group.ran, p.group.waited = now.Sub(p.started), ran-p.ran, waited-p.waited
	if p.group.check > p.longest.check {
		p.longest = p.group
	}
	p.ownMost = max(p.ownMost, p.group.check-p.group.waited)
	p.group, p.ran, p.waited, p.started = group{}, ran, waited, now
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
	at := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("longest check %s; less what its thread waited for a processor: %s\n"+
		"  around the longest, %d checks took %s: on a processor %s, waiting for one %s, standing still %s\n"+
		"  99.99%% of the checks took at most %s, 99.9999%% %s",
		at(p.longest.check), at(p.ownMost), settleEvery, at(p.longest.took), at(p.longest.ran), at(p.longest.waited),
		at(max(0, p.longest.took-p.longest.ran-p.longest.waited)), p.percentile(10_000), p.percentile(1_000_000))
}

// calibrate returns the longest pause that the machine imposes in some seconds on a thread that does nothing but look at
// the clock, while another one is busy, as the sealer is.
func calibrate() time.Duration {
	done := make(chan struct{})
	go spin(done)
	defer close(done)
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

func spin(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
	}
}
