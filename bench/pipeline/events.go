package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace/millrace/bench/load/mix"
)

// events is the mix that is posted, and what it makes.
type events struct {
	*mix.Mix
	only string // the event that makes runs; empty is every one
}

func readEvents(s settings) (*events, error) {
	m, err := mix.Read(mix.Options{File: s.events, Variants: s.variants, Repeats: s.repeats, Seed: uint64(time.Now().UnixNano())})
	return &events{m, s.only}, err
}

// expected returns how many of the events from to to are no repeats, and how many runs they make.
func (e *events) expected(from, to int, rate float64, matching int) (firsts, runs int) {
	for n := from; n < to; n++ {
		if e.Origin(n, rate) != n {
			continue
		}
		firsts++
		if e.only == "" || e.Event(n) == e.only {
			runs += matching
		}
	}
	return firsts, runs
}

func (e *events) describe(s settings) string {
	count, size := e.Bodies()
	bound := "every event"
	if s.only != "" {
		bound = s.only
	}
	guarantee := s.guarantee
	if s.isEmbedded {
		guarantee = "at_least_once"
	}
	return strings.Join([]string{
		fmt.Sprintf("events of %d bytes on average, from %d bodies of %s", size, count, s.events),
		fmt.Sprintf("%.0f %% of them repeats", 100*s.repeats),
		fmt.Sprintf("%d triggers bound to every event, of which %d match %s", s.triggers, s.matching, bound),
		fmt.Sprintf("%d partitions", s.partitions), guarantee,
	}, "; ")
}
