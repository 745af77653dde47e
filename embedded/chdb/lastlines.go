package chdb

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// A crash of the child prints hundreds of lines. The first ones name the
// reason, the last ones hold what the program itself said; the middle is dropped.
const (
	keepFirst   = 8
	keepLast    = 24
	maxLineSize = 1024 // bytes; the rest of a longer line is dropped
)

// lastLines is an io.Writer that keeps the two ends of what a child prints.
type lastLines struct {
	mu      sync.Mutex // guards all below
	first   []string
	last    []string
	dropped int
	partial []byte
}

// Write never fails: a child must not be stopped by its own messages.
func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		room := max(0, maxLineSize-len(l.partial))
		l.partial = append(l.partial, line[:min(room, len(line))]...)
		if ended {
			l.keep(string(l.partial))
			l.partial = l.partial[:0]
		}
		rest = after
	}
	return len(p), nil
}

func (l *lastLines) keep(line string) {
	if len(l.first) < keepFirst {
		l.first = append(l.first, line)
		return
	}
	l.last = append(l.last, line)
	if len(l.last) > keepLast {
		l.last = l.last[1:]
		l.dropped++
	}
}

// String is what was kept, in order.
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := append([]string(nil), l.first...)
	if l.dropped > 0 {
		lines = append(lines, fmt.Sprintf("... %d lines ...", l.dropped))
	}
	lines = append(lines, l.last...)
	if len(l.partial) > 0 {
		lines = append(lines, string(l.partial))
	}
	return strings.Join(lines, "\n")
}
