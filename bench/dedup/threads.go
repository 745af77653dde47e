package main

import (
	"fmt"
	"os"
	"time"
)

// threads are those that the goroutine that asks has been on.
type threads struct {
	known   map[int]*thread
	current int
}

// thread is one of the kernel's.
type thread struct {
	stat   *os.File
	waited time.Duration // in all, when it was asked for last
}

// waited returns how long the goroutine's thread has waited for a processor since the last call. When it came to another
// thread meanwhile, the waiting of both counts.
func (t *threads) waited() (time.Duration, error) {
	before := t.current
	now, err := threadID()
	if err != nil {
		return 0, err
	}
	t.current = now
	var sum time.Duration
	for id, waited := range t.known {
		delta, err := waited.since()
		if err != nil {
			return 0, err
		}
		if id == before || id == now {
			sum += delta
		}
	}
	if t.known[now] != nil {
		return sum, nil
	}
	stat, err := os.Open(fmt.Sprintf("/proc/self/task/%d/schedstat", now))
	if err != nil {
		return 0, err
	}
	t.known[now] = &thread{stat: stat}
	_, err = t.known[now].since()
	return sum, err
}

// since reads schedstat (proc(5)): time on a processor, time ready to run and waiting for one, both in nanoseconds.
func (t *thread) since() (time.Duration, error) {
	var line [96]byte
	n, err := t.stat.ReadAt(line[:], 0)
	if n == 0 {
		return 0, err
	}
	var ran, waited time.Duration
	if _, err := fmt.Sscan(string(line[:n]), &ran, &waited); err != nil {
		return 0, err
	}
	delta := waited - t.waited
	t.waited = waited
	return delta, nil
}

func (t *threads) close() {
	for _, thread := range t.known {
		thread.stat.Close()
	}
}
