package query_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

func TestNamesSayWhenAndHowOftenTheyWereSeen(t *testing.T) {
	s := newStory(t)
	if err := s.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	first := s.event(nil)
	other := s.event(func(e *told) { e.event = `Tab'le "X" \ {since:Int64}` })
	elsewhere := s.event(func(e *told) { e.source, e.env = "src_app", "development" })
	last := s.event(nil)
	s.write(last) // as after a crash: it must not count twice
	s.event(func(e *told) { e.at = s.start.AddDate(0, 0, -8); e.event = "Long Ago" })

	shop := query.NameItem{Event: first.event, SourceID: "src_shop", Environment: "production", FirstSeen: first.at, LastSeen: last.at, Count: 2}
	app := query.NameItem{Event: first.event, SourceID: "src_app", Environment: "development", FirstSeen: elsewhere.at, LastSeen: elsewhere.at, Count: 1}
	table := query.NameItem{Event: other.event, SourceID: "src_shop", Environment: "production", FirstSeen: other.at, LastSeen: other.at, Count: 1}
	f := func(filter query.NameFilter, want ...query.NameItem) {
		t.Helper()
		page, err := s.log.Names(t.Context(), filter)
		if err != nil || !slices.Equal(page.Items, want) || page.NextCursor != "" {
			t.Errorf("%+v:\n got %+v, %v\nwant %+v", filter, page.Items, err, want)
		}
	}
	f(query.NameFilter{}, shop, app, table)
	f(query.NameFilter{Source: "src_app"}, app)
	f(query.NameFilter{Environment: "production"}, shop, table)
	f(query.NameFilter{Since: elsewhere.at, Source: "src_shop"}, query.NameItem{
		Event: last.event, SourceID: "src_shop", Environment: "production", FirstSeen: last.at, LastSeen: last.at, Count: 1,
	})
	if page, err := s.log.Names(t.Context(), query.NameFilter{Since: s.start.AddDate(0, 0, -9)}); err != nil || len(page.Items) != 4 {
		t.Errorf("got %+v, %v, want the name of last week as well", page, err)
	}
}

func TestNamesArePagedWithoutGaps(t *testing.T) {
	s := newStory(t)
	names := []string{"A", "B", "C", `D "d" ü`, "E", "F", "G"}
	for i, name := range names {
		s.event(func(e *told) { e.event, e.at = name, s.start.Add(time.Duration(i/3)*time.Second) }) // three at a time
	}
	var seen []string
	filter := query.NameFilter{Limit: 2}
	for {
		page, err := s.log.Names(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			seen = append(seen, item.Event)
		}
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			break
		}
	}
	slices.Reverse(names)
	if !slices.Equal(seen, names) {
		t.Errorf("got %q, want %q", seen, names)
	}
}

func TestBadNameFiltersAreNamed(t *testing.T) {
	s := newStory(t)
	f := func(field string, err error) {
		t.Helper()
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("got %v, want an error about %s", err, field)
		}
	}
	for _, cursor := range []string{"!", "x", "WzFd", "W10", "WyJlIiwxLCJhIiwiYiIsImMiXQ"} {
		_, err := s.log.Names(t.Context(), query.NameFilter{Cursor: cursor})
		f("cursor", err)
	}
	_, err := s.log.Names(t.Context(), query.NameFilter{Limit: 501})
	f("limit", err)
	_, err = s.log.Names(t.Context(), query.NameFilter{Since: time.Now().AddDate(200, 0, 0)})
	f("since", err)
	_, err = s.log.Recent(t.Context(), query.RecentFilter{Limit: 101})
	f("limit", err)
}

func TestRecentBodiesAreBounded(t *testing.T) {
	s := newStory(t)
	err := s.conn.Exec(t.Context(), `INSERT INTO events (event_id, source_id, environment, event, received_at, body, topic, partition, offset)
		SELECT generateUUIDv4(), 'src_shop', 'production', 'Large', now64(3), randomPrintableASCII(512 * 1024), 't.events', 0, number FROM numbers(60)`)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.log.Recent(t.Context(), query.RecentFilter{Event: "Large", Limit: query.MaxRecent})
	if err != nil || len(events) != 32 {
		t.Errorf("got %d events of half a MiB, %v, want 16 MiB", len(events), err)
	}
	events, err = s.log.Recent(t.Context(), query.RecentFilter{Event: "Large", Limit: 2}) // the connection is still of use
	if err != nil || len(events) != 2 {
		t.Errorf("got %d events, %v", len(events), err)
	}
}

func TestRecentEventsComeNewestFirstWithTheirBodies(t *testing.T) {
	s := newStory(t)
	if err := s.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	var all []told
	for range 5 {
		all = append(all, s.event(nil))
		s.event(func(e *told) { e.event = "Other" })
		s.event(func(e *told) { e.env = "development" })
	}
	s.write(all[4])
	events, err := s.log.Recent(t.Context(), query.RecentFilter{Source: "src_shop", Environment: "production", Event: "Order Completed", Limit: 3})
	if err != nil || len(events) != 3 {
		t.Fatalf("got %+v, %v", events, err)
	}
	for i, got := range events {
		want := all[4-i]
		if got.EventID != want.id || !got.ReceivedAt.Equal(want.at) || got.MessageID != want.message || got.SourceID != want.source ||
			got.Environment != want.env || got.Event != want.event || !slices.Contains([]string{`{"n": 12 }`, `{"n": 9 }`, `{"n": 6 }`}, string(got.Body)) {
			t.Errorf("got %+v %s, want %+v", got.EventMeta, got.Body, want)
		}
	}
	if none, err := s.log.Recent(t.Context(), query.RecentFilter{Event: "Nobody Sends This", Limit: 100}); err != nil || len(none) != 0 {
		t.Errorf("got %+v, %v", none, err)
	}
}
