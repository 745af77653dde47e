package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/millrace/millrace/bench/load/openloop"
	"github.com/millrace/millrace/bench/sample"
)

// mix makes the events. Everything about the n-th event follows from n, its rate and the seed, so that the sender's
// goroutines share nothing.
type mix struct {
	bodies  []body
	repeats float64
	seed    uint64
	only    string
}

// body is a template around its message ID.
type body struct {
	before, after []byte
	event         string
}

// messagePrefix is what an event's message ID begins with; the time it was due follows, in microseconds, as so many
// digits, and then what looks like a UUID. So the workflow API knows how long a run took without asking anybody. The form
// and the length are those of Segment's SDK for Node.
const (
	messagePrefix = "node-next-"
	dueDigits     = 16
)

// readMix reads the templates and makes the variants of each.
func readMix(s settings) (*mix, error) {
	samples, err := sample.Read(s.events)
	if err != nil {
		return nil, err
	}
	m := &mix{repeats: s.repeats, seed: uint64(time.Now().UnixNano()), only: s.only}
	random := rand.New(rand.NewPCG(1, 2))
	for variant := range s.variants {
		for _, sample := range samples {
			text := sample.Body
			if variant > 0 {
				text = vary(text, random)
			}
			before, after, found := bytes.Cut(text, []byte(sample.Track.MessageID))
			if !found || sample.Track.MessageID == "" {
				return nil, fmt.Errorf("an event of %s has no message ID to replace", s.events)
			}
			m.bodies = append(m.bodies, body{before, after, sample.Track.Event})
		}
	}
	return m, nil
}

// vary gives the properties and the user other digits. Six hundred bodies again and again would fit a compressor's window,
// and promise fewer bytes than real events take.
func vary(text []byte, random *rand.Rand) []byte {
	out := bytes.Clone(text)
	for _, part := range [][2]string{{`"properties":`, `,"context":`}, {`"userId":"`, `"`}, {`"anonymousId":"`, `"`}} {
		start := bytes.Index(out, []byte(part[0]))
		if start < 0 {
			continue
		}
		start += len(part[0])
		end := bytes.Index(out[start:], []byte(part[1]))
		for i := start; i < start+max(end, 0); i++ {
			if '1' <= out[i] && out[i] <= '9' { // zeros stay: one more could lead a number
				out[i] = byte('1' + random.IntN(9))
			}
		}
	}
	return out
}

// random returns numbers that follow from the event alone.
func (m *mix) random(n int) *rand.Rand { return rand.New(rand.NewPCG(m.seed, uint64(n))) }

// origin returns the event of which the n-th is a repeat, or n itself. A repeat comes between 0.1 and 2 seconds after.
func (m *mix) origin(n int, rate float64) int {
	for {
		random := m.random(n)
		before := n - 1 - int(rate*(0.1+1.9*random.Float64()))
		if random.Float64() >= m.repeats || before < 0 {
			return n
		}
		n = before
	}
}

// write appends the body of the n-th event of a step that began then.
func (m *mix) write(n int, began time.Time, rate float64, buffer []byte) []byte {
	origin := m.origin(n, rate)
	due := openloop.Due(began, origin, rate)
	random := m.random(origin)
	chosen := m.body(origin)
	buffer = append(buffer, chosen.before...)
	// The numbers that decided on a repeat are used up, so that the ID does not tell.
	random.Uint64()
	random.Uint64()
	high, low := random.Uint64(), random.Uint64()
	buffer = fmt.Appendf(buffer, "%s%0*d-%08x-%04x-%04x-%04x-%012x", messagePrefix, dueDigits, due.UnixMicro(),
		high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
	return append(buffer, chosen.after...)
}

func (m *mix) body(n int) body { return m.bodies[n%len(m.bodies)] }

// expected returns how many of the events from to to are no repeats, and how many runs they make.
func (m *mix) expected(from, to int, rate float64, matching int) (firsts, runs int) {
	for n := from; n < to; n++ {
		if m.origin(n, rate) != n {
			continue
		}
		firsts++
		if m.only == "" || m.body(n).event == m.only {
			runs += matching
		}
	}
	return firsts, runs
}

func (m *mix) describe(s settings) string {
	size := 0
	for n := range m.bodies {
		size += len(m.write(n, time.Now(), 1, nil))
	}
	bound := "every event"
	if s.only != "" {
		bound = s.only
	}
	guarantee := s.guarantee
	if s.isEmbedded {
		guarantee = "at_least_once"
	}
	return strings.Join([]string{
		fmt.Sprintf("events of %d bytes on average, from %d bodies of %s", size/len(m.bodies), len(m.bodies), s.events),
		fmt.Sprintf("%.0f %% of them repeats", 100*s.repeats),
		fmt.Sprintf("%d triggers bound to every event, of which %d match %s", s.triggers, s.matching, bound),
		fmt.Sprintf("%d partitions", s.partitions), guarantee,
	}, "; ")
}
