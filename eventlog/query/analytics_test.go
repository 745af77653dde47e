package query_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// shop writes a small history, every row twice: ten events in ten minutes, of two names and currencies. A replay has gone over
// all of them, which is nothing that they came to.
func shop(t *testing.T) (*story, []told, query.Selection) {
	t.Helper()
	s := newStory(t)
	s.start = time.Now().UTC().Truncate(24 * time.Hour).Add(-12 * time.Hour)
	if err := s.conn.Exec(t.Context(), "SYSTEM STOP MERGES"); err != nil {
		t.Fatal(err)
	}
	var all []told
	for i := range 10 {
		e := s.event(func(e *told) {
			e.at = s.start.Add(time.Duration(i) * time.Minute)
			e.event, e.user = []string{"Viewed", "Bought"}[min(i/7, 1)], fmt.Sprintf("u-%d", i%2)
			e.properties = []string{`{"currency":"EUR","total":1}`, `{"currency":"USD","total":2.5}`, `{}`}[i%3]
		})
		s.write(e)
		for range 2 {
			s.decided(e, i)
			s.replayed(e)
		}
		all = append(all, e)
	}
	return s, all, query.Selection{Since: s.start, Until: s.start.Add(10 * time.Minute)}
}

// decided writes what followed from the ith event: the first is a repeat, the second has no trigger, the last is undecided,
// the others start a run or do not, in turn.
func (s *story) decided(e told, i int) {
	switch {
	case i == 0:
		s.decide(e, schemas.Duplicate, 1, 0)
	case i == 1:
		s.decide(e, schemas.NoTrigger, 1, -1)
	case i == 9:
	case i%2 == 0:
		run := s.run(e, "trg_1", "w", `{"recipients":["u"]}`)
		s.decide(e, schemas.Processed, 1, -1, schemas.TriggerDecision{TriggerID: "trg_1", Revision: 1, Workflow: "w", Outcome: schemas.Matched, RunID: run})
		s.attempt(e, run, "w", 1, schemas.Retrying)
		s.attempt(e, run, "w", 2, schemas.Delivered)
	default:
		s.decide(e, schemas.Processed, 1, -1, schemas.TriggerDecision{TriggerID: "trg_1", Revision: 1, Workflow: "w", Outcome: schemas.ConditionFalse})
	}
}

// replayed writes that a trigger of a replay failed on the event.
func (s *story) replayed(e told) {
	s.tb.Helper()
	const none = "00000000-0000-0000-0000-000000000000"
	s.insert("decisions (event_id, source_id, environment, event, status, replay_id, duplicate_of_partition, duplicate_of_offset, input_partition,"+
		" input_offset, received_at, decided_at, triggers.trigger_id, triggers.revision, triggers.workflow, triggers.outcome, triggers.reason,"+
		" triggers.run_id, topic, partition, offset)",
		e.id, e.source, e.env, e.event, string(schemas.Failed), "rpl_1", int32(-1), int64(-1), int32(1), e.offset, e.at, e.at.Add(time.Hour), []string{"trg_1"},
		[]int64{1}, []string{"w"}, []string{string(schemas.MappingError)}, []string{"no recipient"}, []string{none}, "t.decisions.replay", int32(0), int64(e.position))
}

// values is what a top or the lines of a series are about.
func values[T any](items []T, value func(T) (*string, uint64)) []string {
	var all []string
	for _, item := range items {
		text, count := value(item)
		if text == nil {
			all = append(all, fmt.Sprintf("null %d", count))
			continue
		}
		all = append(all, fmt.Sprintf("%s %d", *text, count))
	}
	return all
}

func TestTopCountsEachEventOnce(t *testing.T) {
	s, _, all := shop(t)
	f := func(by string, of query.Selection, want ...string) {
		t.Helper()
		top, err := s.log.Top(t.Context(), query.TopFilter{Selection: of, By: by})
		if got := values(top.Items, func(v query.TopValue) (*string, uint64) { return v.Value, v.Count }); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", by, got, err, want)
		}
	}
	f("", all, "Viewed 7", "Bought 3")
	f("source", all, "src_shop 10")
	f("environment", all, "production 10")
	f("user", all, "u-0 5", "u-1 5")
	f("status", all, "processed 7", "duplicate 1", "no_trigger 1")
	f("properties.currency", all, "EUR 4", "USD 3", "null 3")
	f("properties.total", all, "1 4", "2.5 3", "null 3")
	bought := all
	bought.Event = "Bought"
	f("properties.currency", bought, "EUR 1", "USD 1", "null 1")
	euros := all
	euros.Where = []string{"properties.currency=EUR"}
	f("", euros, "Viewed 3", "Bought 1")
	f("status", euros, "processed 2", "duplicate 1")
	processed := all
	processed.Status = schemas.Processed
	f("", processed, "Viewed 5", "Bought 2")
	f("status", processed, "processed 7")
	if top, err := s.log.Top(t.Context(), query.TopFilter{Selection: all, Limit: 1}); err != nil || len(top.Items) != 1 || top.Total != 10 {
		t.Errorf("%+v, %v", top, err)
	}
}

func TestSeriesHasACountForEachStep(t *testing.T) {
	s, _, all := shop(t)
	all.Since = all.Since.Add(-30 * time.Second) // in the minute before the first event
	found, err := s.log.Series(t.Context(), query.SeriesFilter{Selection: all, Interval: query.Minute, By: "event", Top: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Times) != 11 || !found.Times[0].Equal(s.start.Add(-time.Minute)) || !found.Times[10].Equal(s.start.Add(9*time.Minute)) || len(found.Series) != 2 {
		t.Fatalf("%+v", found)
	}
	first, rest := found.Series[0], found.Series[1]
	if *first.Value != "Viewed" || first.Other || first.Total != 7 || !slices.Equal(first.Counts, []uint64{0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0}) {
		t.Errorf("%+v", first)
	}
	if rest.Value != nil || !rest.Other || rest.Total != 3 || !slices.Equal(rest.Counts, []uint64{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1}) {
		t.Errorf("%+v", rest)
	}
	found, err = s.log.Series(t.Context(), query.SeriesFilter{Selection: all, By: "properties.currency"})
	got := values(found.Series, func(l query.Line) (*string, uint64) { return l.Value, l.Total })
	if err != nil || found.Interval != query.Hour || !slices.Equal(got, []string{"EUR 4", "USD 3", "null 3"}) {
		t.Errorf("%q, %v", got, err)
	}
	found, err = s.log.Series(t.Context(), query.SeriesFilter{Selection: query.Selection{Event: "Nobody"}})
	if err != nil || len(found.Times) != 25 || len(found.Series) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestLatencyAndDedupAreMeasuredOnce(t *testing.T) {
	s, _, all := shop(t)
	// A replay of an event that is ten days old: its run is delivered now, which says nothing about how long runs take.
	old := s.event(func(e *told) { e.at = s.start.AddDate(0, 0, -10) })
	s.insert("runs (run_id, environment, source_id, workflow, trigger_id, trigger_revision, event_id, received_at, created_at, replay_id, request, topic, partition, offset)",
		schemas.RunID("trg_1", old.id, 0).String(), old.env, old.source, "w", "trg_1", int64(1), old.id, old.at, s.start, "replay", `{}`, "t.runs", int32(0), int64(777))
	old.at = s.start
	s.attempt(old, schemas.RunID("trg_1", old.id, 0).String(), "w", 1, schemas.Delivered)
	latency, err := s.log.Latency(t.Context(), query.LatencyFilter{Since: all.Since, Until: all.Until})
	if err != nil || len(latency.Items) != 1 {
		t.Fatalf("%+v, %v", latency, err)
	}
	item := latency.Items[0]
	// Each of the four runs was delivered two seconds and 12.5 ms after its event.
	if item.Workflow != "w" || item.Attempts != 9 || item.Delivered != 5 || item.Retrying != 4 || item.CallMs.Max != 12.5 || item.DeliveredMs.P50 != 2012.5 || item.DeliveredMs.Max != 2012.5 {
		t.Errorf("%+v %+v %+v", item, item.CallMs, item.DeliveredMs)
	}
	dedup, err := s.log.Dedup(t.Context(), query.DedupFilter{Since: all.Since, Until: all.Until})
	want := query.DedupItem{At: all.Since, Events: 9, Duplicates: 1, Processed: 7, NoTrigger: 1, Matched: 4, DedupRate: 1.0 / 9, MatchRate: 0.5}
	if err != nil || len(dedup.Items) != 1 || dedup.Items[0] != want {
		t.Errorf("%+v, %v, want %+v", dedup.Items, err, want)
	}
	trigger := query.TriggerMatch{TriggerID: "trg_1", Workflow: "w", Considered: 7, Matched: 4, ConditionFalse: 3, MatchRate: 4.0 / 7}
	if len(dedup.Triggers) != 1 || dedup.Triggers[0] != trigger {
		t.Errorf("%+v, want %+v", dedup.Triggers, trigger)
	}
	minutes, err := s.log.Dedup(t.Context(), query.DedupFilter{Since: all.Since, Until: all.Until, Interval: query.Minute})
	if err != nil || len(minutes.Items) != 9 || minutes.Items[1].NoTrigger != 1 {
		t.Errorf("%+v, %v", minutes, err)
	}
}

func TestAnalyticsThatCannotBeAnsweredAreRefused(t *testing.T) {
	s := newStory(t)
	f := func(field string, err error) {
		t.Helper()
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("got %v, want an error about %s", err, field)
		}
	}
	series := func(filter query.SeriesFilter) error { _, err := s.log.Series(t.Context(), filter); return err }
	top := func(filter query.TopFilter) error { _, err := s.log.Top(t.Context(), filter); return err }
	now := time.Now()
	f("interval", series(query.SeriesFilter{Interval: "week"}))
	f("interval", series(query.SeriesFilter{Interval: query.All}))
	f("interval", series(query.SeriesFilter{Interval: query.Minute, Selection: query.Selection{Since: now.AddDate(0, 0, -3)}}))
	f("top", series(query.SeriesFilter{Top: 51}))
	f("by", series(query.SeriesFilter{By: "colour"}))
	f("by", top(query.TopFilter{By: "properties.items[].sku"}))
	f("by", top(query.TopFilter{By: "properties.a=1"}))
	f("limit", top(query.TopFilter{Limit: 501}))
	f("until", top(query.TopFilter{Selection: query.Selection{Since: now, Until: now.Add(-time.Hour)}}))
	f("status", top(query.TopFilter{By: "status", Selection: query.Selection{Status: "odd"}}))
	f("where", top(query.TopFilter{By: "status", Selection: query.Selection{Where: []string{"odd"}}}))
	_, err := s.log.Latency(t.Context(), query.LatencyFilter{Interval: "week"})
	f("interval", err)
	_, err = s.log.Dedup(t.Context(), query.DedupFilter{Since: now, Until: now.Add(-time.Hour)})
	f("until", err)
}

// hoursHave returns a check of how many events were received between two hours after a time.
func (s *story) hoursHave(t *testing.T, first time.Time) func(since, until, want int) {
	return func(since, until, want int) {
		t.Helper()
		selection := query.Selection{Since: first.Add(time.Duration(since) * time.Hour), Until: first.Add(time.Duration(until) * time.Hour)}
		top, err := s.log.Top(t.Context(), query.TopFilter{Selection: selection})
		if err != nil || top.Total != uint64(want) {
			t.Errorf("hours %d to %d: %d events, %v, want %d", since, until, top.Total, err, want)
		}
	}
}

// TestDaysAreCountedWholeAndInPart counts a range that begins and ends within a day and has one between, of which each is
// one part.
func TestDaysAreCountedWholeAndInPart(t *testing.T) {
	s := newStory(t)
	first := s.start.Truncate(24*time.Hour).AddDate(0, 0, -5)
	for hour := range 72 {
		s.event(func(e *told) { e.at = first.Add(time.Duration(hour) * time.Hour) })
	}
	if err := s.conn.Exec(t.Context(), "OPTIMIZE TABLE events FINAL"); err != nil {
		t.Fatal(err)
	}
	f := s.hoursHave(t, first)
	f(0, 72, 72)
	f(-24, 96, 72)
	f(1, 71, 70)
	f(24, 48, 24)
	f(25, 48, 23)
	f(24, 47, 23)
	f(23, 49, 26)
	f(30, 31, 1)
}

func TestCopiesCountOnceBeforeADayIsOnePartAndAfterwards(t *testing.T) {
	s, _, all := shop(t)
	copied := s.event(nil)
	f := func(when string) {
		t.Helper()
		top, err := s.log.Top(t.Context(), query.TopFilter{Selection: all})
		if err != nil || top.Total != 11 {
			t.Errorf("%s: %d events, %v, want 11", when, top.Total, err)
		}
	}
	s.write(copied)
	f("a copy in a part of its own")
	for _, statement := range []string{"SYSTEM START MERGES", "OPTIMIZE TABLE events FINAL", "SYSTEM STOP MERGES"} {
		if err := s.conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	f("one part")
	s.write(copied)
	f("a copy beside the one part")
}

// TestADayIsCountedWhileItIsWritten counts a day whose first events lie in a part that was merged, among which and after which
// others came, each with a copy in a part of its own.
func TestADayIsCountedWhileItIsWritten(t *testing.T) {
	s := newStory(t)
	first := s.start.Truncate(24*time.Hour).AddDate(0, 0, -2)
	at := func(hour int) func(*told) {
		return func(e *told) { e.at = first.Add(time.Duration(hour) * time.Hour) }
	}
	for hour := range 12 {
		s.write(s.event(at(hour)))
	}
	for _, statement := range []string{"OPTIMIZE TABLE events FINAL", "SYSTEM STOP MERGES"} {
		if err := s.conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, hour := range []int{5, 14, 20} {
		s.write(s.event(at(hour)))
	}
	f := s.hoursHave(t, first)
	f(0, 24, 15)
	f(-24, 48, 15)
	f(0, 5, 5)
	f(0, 6, 7)
	f(5, 6, 2)
	f(6, 12, 6)
	f(11, 15, 2)
	f(12, 14, 0)
	f(20, 21, 1)
}
