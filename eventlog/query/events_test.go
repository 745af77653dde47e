package query_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

func TestEventsAreFilteredByEachMember(t *testing.T) {
	s := newStory(t)
	plain := s.event(nil)
	source := s.event(func(e *told) { e.source = "src_app" })
	env := s.event(func(e *told) { e.env = "development" })
	name := s.event(func(e *told) { e.event = `Tab'le "X" \` })
	message := s.event(func(e *told) { e.message = "it's\ta {message:String}\n" })
	user := s.event(func(e *told) { e.user = "ü' OR 1=1 --" })
	s.decide(plain, schemas.Processed, 1, -1)
	s.decide(source, schemas.Duplicate, 1, 0)
	s.decide(user, schemas.Failed, 1, -1)
	s.decide(message, schemas.Processed, 1, -1)

	f := func(filter query.EventFilter, want ...told) {
		t.Helper()
		page, err := s.log.Events(t.Context(), filter)
		if err != nil {
			t.Fatalf("%+v: %v", filter, err)
		}
		if got := ids(page.Items); !slices.Equal(got, wanted(want)) || page.NextCursor != "" {
			t.Errorf("%+v: got %v, next %q, want %v", filter, got, page.NextCursor, wanted(want))
		}
	}
	f(query.EventFilter{}, user, message, name, env, source, plain)
	f(query.EventFilter{Selection: query.Selection{Source: "src_app"}}, source)
	f(query.EventFilter{Selection: query.Selection{Environment: "development"}}, env)
	f(query.EventFilter{Selection: query.Selection{Event: `Tab'le "X" \`}}, name)
	f(query.EventFilter{Selection: query.Selection{MessageID: "it's\ta {message:String}\n"}}, message)
	f(query.EventFilter{Selection: query.Selection{UserID: "ü' OR 1=1 --"}}, user)
	f(query.EventFilter{Selection: query.Selection{Status: schemas.Processed}}, message, plain)
	f(query.EventFilter{Selection: query.Selection{Status: schemas.Duplicate}}, source)
	f(query.EventFilter{Selection: query.Selection{Status: schemas.NoTrigger}})
	f(query.EventFilter{Selection: query.Selection{Status: schemas.Failed, UserID: "ü' OR 1=1 --", Environment: "production", Source: "src_shop", Event: "Order Completed"}}, user)
	f(query.EventFilter{Selection: query.Selection{Status: schemas.Processed, UserID: "ü' OR 1=1 --"}})
	f(query.EventFilter{Selection: query.Selection{Source: "src_nobody"}})
}

func TestEventItemSaysWhatIsKnown(t *testing.T) {
	s := newStory(t)
	told := s.event(nil)
	f := func(status schemas.Status, decided time.Time) {
		t.Helper()
		page, err := s.log.Events(t.Context(), query.EventFilter{})
		want := query.EventItem{
			ID: told.id, SourceID: told.source, Environment: told.env, Event: told.event, MessageID: told.message, UserID: told.user,
			ReceivedAt: told.at, Timestamp: told.at.Add(-time.Minute), Status: status, DecidedAt: decided,
		}
		if err != nil || len(page.Items) != 1 || page.Items[0] != want {
			t.Errorf("got %+v, %v\nwant %+v", page.Items, err, want)
		}
	}
	f("", time.Time{})
	s.decide(told, schemas.Failed, time.Second, -1)
	f(schemas.Failed, told.at.Add(time.Second))
	s.decide(told, schemas.Processed, time.Minute, -1) // replayed
	f(schemas.Processed, told.at.Add(time.Minute))
}

func TestRowsThatWereWrittenTwiceCountOnce(t *testing.T) {
	s := newStory(t)
	if err := s.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	told := s.event(nil)
	s.write(told)
	for range 2 {
		s.decide(told, schemas.Processed, 1, -1)
		run := s.run(told, "trg_1", "w", `{"recipients":["u"]}`)
		s.attempt(told, run, "w", 1, schemas.Delivered)
	}
	for _, filter := range []query.EventFilter{{}, {Selection: query.Selection{Status: schemas.Processed}}, {Selection: query.Selection{Status: schemas.Processed, UserID: "u-1"}}, {Limit: 1}} {
		if page, err := s.log.Events(t.Context(), filter); err != nil || len(page.Items) != 1 || page.NextCursor != "" {
			t.Errorf("%+v: got %+v, %v", filter, page, err)
		}
	}
	if page, err := s.log.Runs(t.Context(), query.RunFilter{}); err != nil || len(page.Items) != 1 {
		t.Errorf("got %+v, %v", page, err)
	}
	if detail, err := s.log.Event(t.Context(), told.id); err != nil || len(detail.Runs) != 1 || len(detail.Attempts) != 1 {
		t.Errorf("got %+v, %v", detail, err)
	}
}

// TestAPageIsFullHoweverOftenARowWasWritten writes more copies than a page looks for at first.
func TestAPageIsFullHoweverOftenARowWasWritten(t *testing.T) {
	s := newStory(t)
	if err := s.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	older, oldest := s.event(nil), s.event(func(e *told) { e.at = s.start.Add(-time.Hour) })
	newest := s.event(func(e *told) { e.at = s.start.Add(time.Hour) })
	run := s.run(newest, "trg_1", "w", `{"recipients":["u"]}`)
	for range 20 {
		s.write(newest)
		if copied := s.run(newest, "trg_1", "w", `{"recipients":["u"]}`); copied != run {
			t.Fatalf("the copy of run %s is %s", run, copied)
		}
	}
	var seen []string
	filter := query.EventFilter{Limit: 1}
	for {
		page, err := s.log.Events(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, ids(page.Items)...)
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			break
		}
	}
	if !slices.Equal(seen, []string{newest.id, older.id, oldest.id}) {
		t.Errorf("the pages have %q", seen)
	}
	if page, err := s.log.Runs(t.Context(), query.RunFilter{Limit: 1}); err != nil || len(page.Items) != 1 || page.NextCursor != "" {
		t.Errorf("%d runs, %v", len(page.Items), err)
	}
}

func TestPagesStayWhatTheyAreWhileNewEventsArrive(t *testing.T) {
	s := newStory(t)
	var all []told
	for i := range 15 {
		all = append(all, s.event(func(e *told) { e.at = s.start.Add(time.Duration(i/5) * time.Millisecond) })) // five in each millisecond
		s.decide(all[i], schemas.Processed, 1, -1)
	}
	for _, filter := range []query.EventFilter{{Limit: 4}, {Limit: 4, Selection: query.Selection{Source: "src_shop", Status: schemas.Processed}}, {Limit: 1}, {Limit: 15}} {
		var seen []string
		for {
			page, err := s.log.Events(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, ids(page.Items)...)
			s.event(func(e *told) { e.at = s.start.Add(time.Hour); e.event = "later" })
			if page.NextCursor == "" {
				break
			}
			filter.Cursor = page.NextCursor
		}
		late := len(seen) - len(all)
		if late < 0 || !sameSet(seen[late:], wanted(all)) {
			t.Errorf("%+v: saw %d events, want the %d of the story once each", filter, len(seen), len(all))
		}
	}
}

func TestBadFiltersAreNamed(t *testing.T) {
	s := newStory(t)
	f := func(field string, err error) {
		t.Helper()
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("got %v, want an error about %s", err, field)
		}
	}
	events := func(filter query.EventFilter) error { _, err := s.log.Events(t.Context(), filter); return err }
	runs := func(filter query.RunFilter) error { _, err := s.log.Runs(t.Context(), filter); return err }
	f("limit", events(query.EventFilter{Limit: -1}))
	f("limit", events(query.EventFilter{Limit: 501}))
	f("status", events(query.EventFilter{Selection: query.Selection{Status: "pending"}}))
	f("limit", runs(query.RunFilter{Limit: 501}))
	f("status", runs(query.RunFilter{Status: "processed"}))
	f("event_id", runs(query.RunFilter{EventID: "7"}))
	for _, cursor := range []string{"x", "!", "AAAA", "cgAAAZq2AAAAAZq2AAAAAAAAAAAAAAAAAAAAAA", "ZX_______________________________w"} {
		f("cursor", events(query.EventFilter{Cursor: cursor}))
		f("cursor", runs(query.RunFilter{Cursor: cursor + "A"}))
	}
	_, err := s.log.Event(t.Context(), "7")
	f("id", err)
	_, err = s.log.Run(t.Context(), "7")
	f("id", err)
}

func ids(items []query.EventItem) []string {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	return ids
}

func wanted(events []told) []string {
	ids := make([]string, len(events))
	for i, event := range events {
		ids[i] = event.id
	}
	return ids
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
