package query

import (
	"slices"
	"time"
)

// span is a range of times, its end excluded. A zero time leaves that side open.
type span struct{ since, until time.Time }

// cut returns what of s lies within another span, and whether that is anything.
func (s span) cut(to span) (span, bool) {
	if s.since.Before(to.since) {
		s.since = to.since
	}
	if s.until.IsZero() || !to.until.IsZero() && to.until.Before(s.until) {
		s.until = to.until
	}
	return s, s.until.IsZero() || s.since.Before(s.until)
}

// cutAll returns what of some spans lies within another.
func cutAll(spans []span, to span) []span {
	var within []span
	for _, s := range spans {
		if s, isWithin := s.cut(to); isWithin {
			within = append(within, s)
		}
	}
	return within
}

// without returns what is left of s without others, which are ordered and do not overlap.
func (s span) without(others []span) []span {
	var left []span
	rest := s
	for _, other := range cutAll(others, s) {
		if rest.since.Before(other.since) {
			left = append(left, span{rest.since, other.since})
		}
		if rest.since = other.until; rest.since.Equal(rest.until) {
			return left
		}
	}
	return append(left, rest)
}

// days takes the whole days in UTC out of s, which is bounded, and returns them, and what is left.
func (s span) days() (days []time.Time, left []span) {
	first := s.since.Truncate(day)
	if first.Before(s.since) {
		first = first.Add(day)
	}
	for at := first; !at.Add(day).After(s.until); at = at.Add(day) {
		days = append(days, at)
	}
	if len(days) == 0 {
		return nil, []span{s}
	}
	return days, s.without([]span{{first, first.Add(time.Duration(len(days)) * day)}})
}

const day = 24 * time.Hour

// aloneIn returns the spans in which all rows are of one part that was merged, in order. Where there is no part at all between
// two of them, they are one.
func aloneIn(parts []part) []span {
	type edge struct {
		at            time.Time
		parts, merged int // how many more there are from then on
	}
	var edges []edge
	for _, p := range parts {
		merged := 0
		if p.isMerged {
			merged = 1
		}
		edges = append(edges, edge{p.since, 1, merged}, edge{p.until, -1, -merged})
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	var alone []span
	var count, merged int
	joins := false // nothing but the parts of the last span, or none, has been since it began
	for i, e := range edges {
		count, merged = count+e.parts, merged+e.merged
		if i+1 == len(edges) || edges[i+1].at.Equal(e.at) {
			continue
		}
		switch next := edges[i+1].at; {
		case count == 1 && merged == 1 && joins:
			alone[len(alone)-1].until = next
		case count == 1 && merged == 1:
			alone, joins = append(alone, span{e.at, next}), true
		case count > 0:
			joins = false
		}
	}
	return alone
}
