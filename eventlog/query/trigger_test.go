package query_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// twoTriggers adds to shop's history: trg_2 fails on the last decided event, which trg_1 says no to.
func twoTriggers(t *testing.T) (*story, query.Selection, told) {
	t.Helper()
	s, _, all := shop(t)
	e := s.event(func(e *told) { e.at = s.start.Add(8*time.Minute + time.Second) })
	s.write(e)
	for range 2 {
		s.decide(e, schemas.Failed, 1, -1,
			schemas.TriggerDecision{TriggerID: "trg_1", Revision: 1, Workflow: "w", Outcome: schemas.ConditionFalse},
			schemas.TriggerDecision{TriggerID: "trg_2", Revision: 1, Workflow: "v", Outcome: schemas.MappingError, Reason: "no recipient"})
		s.replayed(e)
	}
	return s, all, e
}

func TestDedupIsMeasuredOfChosenTriggers(t *testing.T) {
	s, all, _ := twoTriggers(t)
	f := func(triggers []string, events uint64, want ...query.TriggerMatch) {
		t.Helper()
		found, err := s.log.Dedup(t.Context(), query.DedupFilter{Since: all.Since, Until: all.Until, Triggers: triggers})
		if err != nil || !slices.Equal(found.Triggers, append([]query.TriggerMatch{}, want...)) {
			t.Errorf("%v: %+v, %v, want %+v", triggers, found.Triggers, err, want)
		}
		var counted uint64
		for _, item := range found.Items {
			counted += item.Events
		}
		if counted != events {
			t.Errorf("%v: %d events, want %d", triggers, counted, events)
		}
	}
	first := query.TriggerMatch{TriggerID: "trg_1", Workflow: "w", Considered: 8, Matched: 4, ConditionFalse: 4, MatchRate: 0.5}
	second := query.TriggerMatch{TriggerID: "trg_2", Workflow: "v", Considered: 1, MappingError: 1}
	f(nil, 10, first, second)
	f([]string{"trg_1"}, 8, first)
	f([]string{"trg_2"}, 1, second)
	f([]string{"trg_2", "trg_1", "trg_none"}, 8, first, second)
	f([]string{"trg_none"}, 0)
}

func TestSeriesCountsWhatATriggerDid(t *testing.T) {
	s, all, _ := twoTriggers(t)
	f := func(trigger string, of query.Selection, want ...string) {
		t.Helper()
		found, err := s.log.Series(t.Context(), query.SeriesFilter{Selection: of, By: "outcome", Trigger: trigger, Interval: query.Minute})
		if got := values(found.Series, func(l query.Line) (*string, uint64) { return l.Value, l.Total }); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", trigger, got, err, want)
		}
	}
	f("trg_1", all, "condition_false 4", "matched 4")
	f("trg_2", all, "mapping_error 1")
	f("trg_none", all)
	bought := all
	bought.Event = "Bought"
	f("trg_1", bought, "condition_false 1", "matched 1")
	euros := all
	euros.Where = []string{"properties.currency=EUR"}
	f("trg_1", euros, "condition_false 1", "matched 1")
}

func TestEventsAreFoundByWhatATriggerDid(t *testing.T) {
	s, all, failed := twoTriggers(t)
	f := func(trigger string, count int, outcomes ...schemas.Outcome) []query.EventItem {
		t.Helper()
		page, err := s.log.Events(t.Context(), query.EventFilter{Selection: all, Trigger: trigger, Outcomes: outcomes})
		if err != nil || len(page.Items) != count {
			t.Errorf("%s %v: %+v, %v, want %d", trigger, outcomes, page.Items, err, count)
		}
		return page.Items
	}
	f("trg_1", 8)
	f("trg_1", 4, schemas.Matched)
	f("trg_1", 8, schemas.Matched, schemas.ConditionFalse)
	f("trg_1", 0, schemas.MappingError) // a replay failed on it, which is nothing that it came to
	f("trg_none", 0)
	if items := f("trg_2", 1, schemas.MappingError, schemas.ConditionError); len(items) == 1 && items[0].ID != failed.id {
		t.Errorf("%+v, want %s", items, failed.id)
	}
}

func TestFiltersByTriggerThatMeanNothingAreRefused(t *testing.T) {
	s := newStory(t)
	f := func(field string, err error) {
		t.Helper()
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("got %v, want an error about %s", err, field)
		}
	}
	series := func(filter query.SeriesFilter) error { _, err := s.log.Series(t.Context(), filter); return err }
	events := func(filter query.EventFilter) error { _, err := s.log.Events(t.Context(), filter); return err }
	f("trigger", series(query.SeriesFilter{By: "outcome"}))
	f("trigger", series(query.SeriesFilter{By: "status", Trigger: "trg_1"}))
	f("outcome", events(query.EventFilter{Outcomes: []schemas.Outcome{schemas.Matched}}))
	f("outcome", events(query.EventFilter{Trigger: "trg_1", Outcomes: []schemas.Outcome{"odd"}}))
	_, err := s.log.Dedup(t.Context(), query.DedupFilter{Triggers: make([]string, query.MaxLimit+1)})
	f("trigger", err)
}
