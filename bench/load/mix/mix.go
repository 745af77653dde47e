// Package mix makes the events that loads are of, from templates in a file: each with a message ID of its own, or with that of
// an event shortly before, which it then repeats byte for byte. All about the n-th event follows from n, the rate and the seed,
// so that a sender's goroutines share nothing, and who counts what came knows what was sent.
package mix

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace/millrace/bench/load/openloop"
	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/schemas"
)

// Options says what a mix is of.
type Options struct {
	File     string  // of templates, one a line
	Variants int     // bodies of each template, with other digits in properties and users; 1 is the template alone
	Repeats  float64 // part of the events that repeat one before
	Seed     uint64
}

// Mix is the events of a load.
type Mix struct {
	options Options
	bodies  []body
}

// body is a template around its message ID.
type body struct {
	before, after []byte
	event         string
}

// MessagePrefix is what an event's message ID begins with; the time it was due follows, in microseconds, as DueDigits
// digits, and then what looks like a UUID. So who gets the event knows how long it took without asking anybody. The form
// and the length are those of Segment's SDK for Node.
const (
	MessagePrefix = "node-next-"
	DueDigits     = 16
)

// Read reads the templates and makes the variants of each.
func Read(options Options) (*Mix, error) {
	if options.Variants < 1 || options.Repeats < 0 || options.Repeats >= 1 {
		return nil, fmt.Errorf("%d variants of an event and a part of %g that are repeats: give at least 1, and from 0 to below 1", options.Variants, options.Repeats)
	}
	samples, err := sample.Read(options.File)
	if err != nil {
		return nil, err
	}
	m := &Mix{options: options}
	random := rand.New(rand.NewPCG(1, 2))
	for variant := range options.Variants {
		for _, sample := range samples {
			text := sample.Body
			if variant > 0 {
				text = vary(text, random)
			}
			cut, err := split(text, sample.Track)
			if err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", options.File, sample.Line, err)
			}
			m.bodies = append(m.bodies, cut)
		}
	}
	return m, nil
}

// split cuts a template at its message ID. The same text may stand elsewhere, too: the event with another ID in that place
// must be read with that ID.
func split(text []byte, track schemas.Track) (body, error) {
	const other = "another"
	for from := 0; track.MessageID != ""; {
		at := bytes.Index(text[from:], []byte(track.MessageID))
		if at < 0 {
			break
		}
		before, after := text[:from+at], text[from+at+len(track.MessageID):]
		if again, err := schemas.ParseTrack(fmt.Appendf(nil, "%s%s%s", before, other, after)); err == nil && again.MessageID == other {
			return body{before, after, track.Event}, nil
		}
		from += at + 1
	}
	return body{}, fmt.Errorf("the event has no messageId that can be replaced")
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
func (m *Mix) random(n int) *rand.Rand { return rand.New(rand.NewPCG(m.options.Seed, uint64(n))) }

// Origin returns the event of which the n-th is a repeat, or n itself. A repeat comes between 0.1 and 2 seconds after.
func (m *Mix) Origin(n int, rate float64) int {
	for {
		random := m.random(n)
		before := n - 1 - int(rate*(0.1+1.9*random.Float64()))
		if random.Float64() >= m.options.Repeats || before < 0 {
			return n
		}
		n = before
	}
}

// Append appends the body of the n-th event of a load that began then.
func (m *Mix) Append(buffer []byte, n int, began time.Time, rate float64) []byte {
	origin := m.Origin(n, rate)
	due := openloop.Due(began, origin, rate)
	random := m.random(origin)
	chosen := m.body(origin)
	buffer = append(buffer, chosen.before...)
	// The numbers that decided on a repeat are used up, so that the ID does not tell.
	random.Uint64()
	random.Uint64()
	high, low := random.Uint64(), random.Uint64()
	buffer = fmt.Appendf(buffer, "%s%0*d-%08x-%04x-%04x-%04x-%012x", MessagePrefix, DueDigits, due.UnixMicro(),
		high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
	return append(buffer, chosen.after...)
}

func (m *Mix) body(n int) body { return m.bodies[n%len(m.bodies)] }

// Event returns the name of the n-th event, which must be no repeat.
func (m *Mix) Event(n int) string { return m.body(n).event }

// Bodies returns how many different bodies there are, message IDs aside, and how many bytes they have on average.
func (m *Mix) Bodies() (count, bytes int) {
	for n := range m.bodies {
		bytes += len(m.Append(nil, n, time.Now(), 1))
	}
	return len(m.bodies), bytes / len(m.bodies)
}
