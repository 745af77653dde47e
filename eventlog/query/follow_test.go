package query_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// follower reads what is new, as often as it is asked.
type follower struct {
	*story
	filter query.FollowFilter
}

func (f *follower) next(want ...told) {
	f.tb.Helper()
	page, err := f.log.Follow(f.tb.Context(), f.filter)
	if err != nil || !slices.Equal(ids(page.Items), wanted(want)) || page.NextCursor == "" {
		f.tb.Fatalf("got %v, next %q, %v, want %v", ids(page.Items), page.NextCursor, err, wanted(want))
	}
	f.filter.Cursor = page.NextCursor
}

func TestWhoFollowsSeesEachEventOnce(t *testing.T) {
	s := newStory(t)
	s.start = time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	before := s.event(nil)
	now := follower{s, query.FollowFilter{From: s.start.Add(time.Millisecond)}}
	now.next()
	now.next()
	first, second := s.event(nil), s.event(nil)
	s.write(first) // a copy
	s.decide(first, schemas.NoTrigger, 1, -1)
	now.next(first, second)
	now.next()
	// Received before what is known already, and visible only now.
	late := s.event(func(e *told) { e.at = first.at.Add(-time.Millisecond) })
	other := s.event(func(e *told) { e.source = "src_app" })
	now.next(late, other)
	s.write(late)
	now.next()
	since := follower{s, query.FollowFilter{From: first.at}}
	since.next(first, second, other)
	all := follower{s, query.FollowFilter{From: before.at, Selection: query.Selection{Source: "src_app"}}}
	all.next(other)
	newest := s.event(func(e *told) { e.source = "src_app" })
	all.next(newest)
	since.next(newest)
}

func TestWhoFollowsInPagesMissesNothing(t *testing.T) {
	s := newStory(t)
	s.start = time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	f := query.FollowFilter{From: s.start, Limit: 3}
	var all []told
	var seen []string
	for round := range 8 {
		for range 2 {
			all = append(all, s.event(nil))
		}
		page, err := s.log.Follow(t.Context(), f)
		if err != nil || len(page.Items) > 3 {
			t.Fatal(round, page, err)
		}
		seen, f.Cursor = append(seen, ids(page.Items)...), page.NextCursor
	}
	if !sameSet(seen, wanted(all)) {
		t.Errorf("saw %d, want the %d of the story once each", len(seen), len(all))
	}
}

func TestFollowingIsRefusedWhereItHasNoMeaning(t *testing.T) {
	s := newStory(t)
	for _, filter := range []query.FollowFilter{
		{Cursor: "x"}, {Cursor: "e30"}, {Selection: query.Selection{Status: schemas.Failed}}, {Selection: query.Selection{Since: s.start}}, {From: time.Unix(-1, 0)},
	} {
		_, err := s.log.Follow(t.Context(), filter)
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != "after" {
			t.Errorf("%+v: %v, want an error about after", filter, err)
		}
	}
}
