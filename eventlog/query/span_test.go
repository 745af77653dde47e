package query

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// hours is a span of hours, counted from the beginning of a day.
func hours(since, until int) span {
	at := func(hour int) time.Time {
		return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour) * time.Hour)
	}
	return span{at(since), at(until)}
}

const threeDays = 72

func drawHours(t *rapid.T, label string) span {
	since := rapid.IntRange(0, threeDays-1).Draw(t, label+" since")
	return hours(since, rapid.IntRange(since+1, threeDays).Draw(t, label+" until"))
}

func has(spans []span, at time.Time) bool {
	return slices.ContainsFunc(spans, func(s span) bool {
		return !at.Before(s.since) && (s.until.IsZero() || at.Before(s.until))
	})
}

// inOrder fails unless the spans are ordered, do not overlap, and none is empty.
func inOrder(t *rapid.T, spans []span) {
	for i, s := range spans {
		if !s.until.IsZero() && !s.since.Before(s.until) || i > 0 && s.since.Before(spans[i-1].until) {
			t.Fatalf("%v", spans)
		}
	}
}

func TestSpansOfOnePartHaveTheRowsOfNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := make([]part, rapid.IntRange(0, 8).Draw(t, "parts"))
		for i := range parts {
			parts[i] = part{drawHours(t, fmt.Sprint(i)), rapid.Bool().Draw(t, "merged")}
		}
		alone := aloneIn(parts)
		inOrder(t, alone)
		covering := func(at time.Time) (count, merged int) {
			for _, p := range parts {
				if has([]span{p.span}, at) {
					count++
					if p.isMerged {
						merged++
					}
				}
			}
			return count, merged
		}
		for hour := range threeDays {
			at := hours(hour, 0).since
			count, merged := covering(at)
			isAlone := count == 1 && merged == 1
			if found := has(alone, at); isAlone && !found || found && count > 0 && !isAlone {
				t.Fatalf("hour %d: of %d parts, %d merged: alone is %v in %v", hour, count, merged, found, alone)
			}
		}
		// Between two parts there may be a gap in a span, but it neither begins nor ends with one.
		for _, s := range alone {
			for _, at := range []time.Time{s.since, s.until.Add(-time.Hour)} {
				if count, merged := covering(at); count != 1 || merged != 1 {
					t.Fatalf("%v: %d parts, %d merged at %v", s, count, merged, at)
				}
			}
		}
	})
}

func TestSpansAreTakenApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := drawHours(t, "whole")
		switch rapid.IntRange(0, 3).Draw(t, "open") {
		case 0:
			whole.since = time.Time{}
		case 1:
			whole.until = time.Time{}
		}
		var others []span
		for hour := 0; hour < threeDays-2; {
			s := hours(rapid.IntRange(hour, threeDays-2).Draw(t, "other since"), 0)
			s.until = s.since.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "length")) * time.Hour)
			others = append(others, s)
			hour = int(s.until.Sub(hours(0, 0).since).Hours()) + rapid.IntRange(0, 3).Draw(t, "gap")
		}
		left := whole.without(others)
		inOrder(t, left)
		for hour := range threeDays + 20 {
			at := hours(hour, 0).since
			if want := has([]span{whole}, at) && !has(others, at); has(left, at) != want {
				t.Fatalf("hour %d of %v without %v: %v", hour, whole, others, left)
			}
		}
		for _, other := range others {
			bounded, isWithin := other.cut(whole)
			if !isWithin {
				continue
			}
			days, rest := bounded.days()
			inOrder(t, rest)
			if len(rest) > 2 {
				t.Fatalf("%v: %v and %v", bounded, days, rest)
			}
			for hour := range threeDays + 20 {
				at := hours(hour, 0).since
				if inDay := slices.Contains(days, at.Truncate(day)); has([]span{bounded}, at) != (inDay || has(rest, at)) || inDay && has(rest, at) {
					t.Fatalf("hour %d of %v: %v and %v", hour, bounded, days, rest)
				}
			}
		}
	})
}

func TestTheLongestSpansAreKept(t *testing.T) {
	var all []span
	for i := range 2 * maxSpans {
		all = append(all, hours(10*i, 10*i+1+i%2))
	}
	kept := longest(all)
	if len(kept) != maxSpans || !slices.IsSortedFunc(kept, func(a, b span) int { return a.since.Compare(b.since) }) {
		t.Fatalf("%v", kept)
	}
	for _, s := range kept {
		if s.until.Sub(s.since) != 2*time.Hour {
			t.Errorf("%v was kept", s)
		}
	}
	if got := longest(kept[:3]); len(got) != 3 {
		t.Errorf("%v", got)
	}
}
