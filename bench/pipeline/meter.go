package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/bench/usage"
)

// PartUse is what a process took in a step.
type PartUse struct {
	Name            string
	Cores           float64 // while events were posted
	MicrosPerEvent  float64 // processor time until all of it was worked off, by the event posted
	WrittenPerEvent float64 // bytes to a disk, likewise
	ResidentMiB     float64 // at the end of the posting
	AnonymousMiB    float64 // of these, what no file is behind
}

// reading is what every part, and the machine, has taken so far.
type reading struct {
	at    time.Time
	parts []usage.Usage
	busy  time.Duration
}

// meter reads three times: when the events begin that count, when posting has ended, and when all is worked off.
type meter struct {
	w       *world
	parts   []part
	began   chan struct{} // closed when first is read
	first   reading
	second  reading
	problem error
}

// meterFrom takes the first reading at a time to come.
func (w *world) meterFrom(ctx context.Context, from time.Time) *meter {
	m := &meter{w: w, parts: append(slices.Clone(w.parts), sender()), began: make(chan struct{})}
	go func() {
		defer close(m.began)
		select {
		case <-ctx.Done():
			m.problem = context.Cause(ctx)
		case <-time.After(time.Until(from)):
			m.first, m.problem = m.take()
		}
	}()
	return m
}

func (m *meter) take() (reading, error) {
	r := reading{at: time.Now()}
	for _, part := range m.parts {
		u, err := usage.Of(part.pid)
		if err != nil {
			return r, fmt.Errorf("reading what %s takes; has it ended? %w", part.name, err)
		}
		r.parts = append(r.parts, u)
	}
	var err error
	r.busy, err = usage.Machine()
	return r, err
}

// mark takes the second reading.
func (m *meter) mark() {
	<-m.began
	var err error
	m.second, err = m.take()
	m.problem = errors.Join(m.problem, err)
}

func (m *meter) seconds() float64 { return m.second.at.Sub(m.first.at).Seconds() }

// read takes the last reading, and returns what each part took and what everything else on the machine did.
func (m *meter) read(events int) ([]PartUse, float64, error) {
	last, err := m.take()
	if err := errors.Join(m.problem, err); err != nil {
		return nil, 0, err
	}
	var all []PartUse
	others := m.second.busy - m.first.busy
	for i, part := range m.parts {
		first, second, last := m.first.parts[i], m.second.parts[i], last.parts[i]
		others -= second.CPU - first.CPU
		all = append(all, PartUse{
			Name: part.name, Cores: (second.CPU - first.CPU).Seconds() / m.seconds(),
			MicrosPerEvent:  float64((last.CPU - first.CPU).Microseconds()) / float64(events),
			WrittenPerEvent: float64(last.Written-first.Written) / float64(events),
			ResidentMiB:     float64(second.Resident) / (1 << 20), AnonymousMiB: float64(second.Anonymous) / (1 << 20),
		})
	}
	return all, others.Seconds() / m.seconds(), nil
}
