package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func newMix(t *testing.T, repeats float64) *mix {
	t.Helper()
	m, err := readMix(settings{events: "../../schemas/testdata/track-events.ndjson", variants: 3, repeats: repeats})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryEventOfTheMixIsTakenAndARepeatIsItsOriginByteForByte(t *testing.T) {
	m := newMix(t, 0.1)
	const rate, events = 500, 4000
	began := time.Now().Truncate(time.Microsecond)
	ids := map[string]bool{}
	for n := range events {
		text := m.write(n, began, rate, nil)
		track, err := schemas.ParseTrack(text)
		if err != nil {
			t.Fatalf("event %d: %v\n%s", n, err, text)
		}
		origin := m.origin(n, rate)
		if (origin != n) != ids[track.MessageID] {
			t.Fatalf("event %d, whose origin is %d, has the message ID %s", n, origin, track.MessageID)
		}
		ids[track.MessageID] = true
		if first := m.write(origin, began, rate, nil); !bytes.Equal(first, text) {
			t.Fatalf("event %d is not what its origin %d is:\n%s\n%s", n, origin, text, first)
		}
		if gap := n - origin; gap != 0 && gap < rate/10 {
			t.Fatalf("event %d repeats one that was due only %d before", n, gap)
		}
	}
	firsts, _ := m.expected(0, events, rate, 1)
	if share := 1 - float64(firsts)/events; firsts != len(ids) || math.Abs(share-0.1) > 0.03 {
		t.Errorf("%d first events are expected, %d message IDs were written, %.3f are repeats", firsts, len(ids), share)
	}
}

func TestExpectedRunsAreThoseOfTheTriggersEvents(t *testing.T) {
	m := newMix(t, 0)
	m.only = "Order Completed"
	const events = 1800
	want := 0
	for n := range events {
		if bytes.Contains(m.write(n, time.Now(), 1, nil), []byte(`"event":"Order Completed"`)) {
			want += 2
		}
	}
	if _, got := m.expected(0, events, 1, 2); got != want || want == 0 {
		t.Errorf("%d runs are expected, where there are %d", got, want)
	}
}

func TestVariantsDifferInDigitsAlone(t *testing.T) {
	m := newMix(t, 0)
	templates := len(m.bodies) / 3
	same := func(text []byte) []byte {
		return bytes.Map(func(r rune) rune {
			if '1' <= r && r <= '9' {
				return '1'
			}
			return r
		}, text)
	}
	differing := 0
	for i := range templates {
		first, second := slices.Concat(m.bodies[i].before, m.bodies[i].after), slices.Concat(m.bodies[i+templates].before, m.bodies[i+templates].after)
		if !bytes.Equal(same(first), same(second)) {
			t.Fatalf("not the same but for digits:\n%s\n%s", first, second)
		}
		if !bytes.Equal(first, second) {
			differing++
		}
	}
	if differing < templates*9/10 {
		t.Errorf("only %d of %d differ", differing, templates)
	}
}

func TestARunTellsWhenItsEventWasDue(t *testing.T) {
	m := newMix(t, 0)
	began := time.Now().Truncate(time.Microsecond)
	text := m.write(5, began, 10, nil)
	came, err := readDelivery([]byte("/v1/workflows/workflow-3/trigger"), fmt.Appendf(nil, `{"recipients":["u"],"data":%s}`, text))
	if err != nil || came.due != began.Add(500*time.Millisecond).UnixMicro() || came.workflow != '3' {
		t.Errorf("%+v, %v", came, err)
	}
	if _, err := readDelivery([]byte("/v1/workflows/workflow-3/trigger"), []byte(`{}`)); err == nil {
		t.Error("a body without a message ID is taken")
	}
}
