package replay_test

import (
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func TestReplayCreatesTheRunsThatItsTriggersWouldHaveCreated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(500)...)
	w.send(order{name: "Visit", total: 900}, order{total: 900, source: "src_other"})
	w.decided()
	w.role(nil)
	// From and To cut off some, at the millisecond.
	r := w.completes(w.wanted(func(r *schemas.Replay) {
		r.From, r.To = w.start.Add(150*time.Second), w.start.Add(400*time.Second)
		r.Where = "data.total % 2 == 0"
	}))
	w.exactly(r, func(trigger schemas.Trigger, event sent) bool {
		return isBig(trigger, event) && event.total >= 150 && event.total < 400 && event.total%2 == 0
	})
	if r.Result.Read != 250 || r.Result.Matched != 125 || r.Result.Skipped != 0 || r.Result.Existed != 0 || len(r.Result.Errors) != 0 || r.Result.Percent() != 100 {
		t.Errorf("%+v", r.Result)
	}
	runs, decisions, _ := w.written(r.ID)
	if len(decisions) != 125 {
		t.Errorf("%d decisions, want one for each event that matched", len(decisions))
	}
	for _, decision := range decisions {
		if decision.Status != schemas.Processed || len(decision.Triggers) != 1 || runs[decision.Triggers[0].RunID].EventID != decision.EventID {
			t.Fatalf("%+v", decision)
		}
	}
}

func TestRunsThatExistAreSkippedAndCountedUnlessForced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live, err := w.writer.CreateTrigger(t.Context(), schemas.Trigger{Environment: "production", SourceID: w.source.ID, Event: "Order", Workflow: "big-order", Condition: "data.total > 100"})
	if err != nil {
		t.Fatal(err)
	}
	w.send(orders(200)...)
	w.decided()
	w.role(nil)
	// The live trigger made the runs of totals above 100; now that it takes those above 50, half of them are new.
	changed := live
	changed.Condition = "data.total > 50"
	all := func(r *schemas.Replay) { r.Triggers = []schemas.Trigger{changed} }
	first := w.completes(w.wanted(all))
	if first.Result.Existed != 99 {
		t.Errorf("%+v, want 99 runs that existed", first.Result)
	}
	w.exactly(first, func(_ schemas.Trigger, event sent) bool { return event.total > 50 && event.total <= 100 })
	w.logged(schemas.ReplayRunsTopic, "runs")
	again := w.completes(w.wanted(all))
	if again.Result.Created != 0 || again.Result.Existed != 149 || again.Result.Matched != 200 {
		t.Errorf("the same again: %+v", again.Result)
	}
	forced := w.completes(w.wanted(func(r *schemas.Replay) { all(r); r.Generation = 1 }))
	w.exactly(forced, func(_ schemas.Trigger, event sent) bool { return event.total > 50 })
	another := w.completes(w.wanted(func(r *schemas.Replay) { all(r); r.Generation = 1 }))
	w.exactly(another, func(_ schemas.Trigger, event sent) bool { return event.total > 50 })
	if forced.Generation == 0 || another.Generation <= forced.Generation {
		t.Errorf("generations %d and %d", forced.Generation, another.Generation)
	}
}

func TestSameInlineTriggerMakesTheSameRunsEachTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(150)...)
	w.decided()
	w.role(nil)
	first := w.completes(w.wanted(nil))
	w.exactly(first, isBig)
	w.logged(schemas.ReplayRunsTopic, "runs")
	again := w.completes(w.wanted(nil))
	if again.Result.Created != 0 || again.Result.Existed != first.Result.Created {
		t.Errorf("first %+v, then %+v", first.Result, again.Result)
	}
}

func TestDuplicatesAreReplayedOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 120 {
		w.send(order{total: 1000 + i, messageID: "m" + string(rune('a'+i%40%26)) + string(rune('a'+i%40/26))})
	}
	w.decided()
	w.role(nil)
	r := w.completes(w.wanted(nil))
	w.exactly(r, func(_ schemas.Trigger, event sent) bool { return event.total < 1040 })
	if r.Result.Read != 120 || r.Result.Skipped != 80 || r.Result.Matched != 40 {
		t.Errorf("%+v", r.Result)
	}
	repeats := w.completes(w.wanted(func(r *schemas.Replay) {
		r.Statuses = []schemas.Status{schemas.Duplicate}
		r.Triggers[0].Workflow = "repeats"
	}))
	w.exactly(repeats, func(_ schemas.Trigger, event sent) bool { return event.total >= 1040 })
	all := w.completes(w.wanted(func(r *schemas.Replay) {
		r.Statuses = []schemas.Status{schemas.AnyStatus}
		r.Triggers[0].Workflow = "all"
	}))
	w.exactly(all, isBig)
}

func TestFailedEventsAreRepairedByReplayingThemAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken, err := w.writer.CreateTrigger(t.Context(), schemas.Trigger{
		Environment: "production", SourceID: w.source.ID, Event: "Order", Workflow: "every-order",
		Mapping: schemas.Mapping{Tenant: []byte(`{"expr": "data.total == 13 ? 13 : \"acme\""}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		w.send(order{total: 10 + i%6})
	}
	w.decided()
	w.role(nil)
	repaired := broken
	repaired.Mapping = schemas.Mapping{Tenant: []byte(`{"value": "acme"}`)}
	r := w.completes(w.wanted(func(r *schemas.Replay) {
		r.Statuses, r.Triggers = []schemas.Status{schemas.Failed}, []schemas.Trigger{repaired}
	}))
	w.exactly(r, func(_ schemas.Trigger, event sent) bool { return event.total == 13 })
	if r.Result.Skipped != 50 || r.Result.Existed != 0 || len(r.Result.Errors) != 0 {
		t.Errorf("%+v", r.Result)
	}
	// What still fails is counted by its reason, and the decision tells it.
	still := w.completes(w.wanted(func(r *schemas.Replay) { r.Triggers = []schemas.Trigger{broken} }))
	_, decisions, _ := w.written(still.ID)
	failed := 0
	for _, decision := range decisions {
		if decision.Status == schemas.Failed {
			failed++
		}
	}
	if failed != 10 || len(still.Result.Errors) != 1 || still.Result.Created != 0 || still.Result.Existed != 50 {
		t.Errorf("%d failed: %+v", failed, still.Result)
	}
	for _, times := range still.Result.Errors {
		if times != 10 {
			t.Errorf("%+v", still.Result.Errors)
		}
	}
}

func TestEventsOfSkewedClocksAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Two instances take turns, and the clock of one is five minutes behind the other's.
	for i := range 400 {
		at := time.Hour + time.Duration(i)*time.Second
		if i%2 == 0 {
			at -= 5 * time.Minute
		}
		w.send(order{total: 1000 + i, at: at})
	}
	w.decided()
	w.role(nil)
	from, to := w.start.Add(time.Hour-2*time.Minute), w.start.Add(time.Hour+time.Minute)
	r := w.completes(w.wanted(func(r *schemas.Replay) { r.From, r.To = from, to }))
	w.exactly(r, func(_ schemas.Trigger, event sent) bool {
		return !event.ReceivedAt.Before(from) && event.ReceivedAt.Before(to)
	})
}

func TestReplayThatCannotCompileFailsAndSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(3)...)
	w.role(nil)
	r := w.ends(w.create(w.wanted(func(r *schemas.Replay) { r.Triggers[0].Condition = "data.total >" })).ID, schemas.ReplayFailed)
	if r.Reason == "" || r.Result.Created != 0 {
		t.Errorf("%+v", r)
	}
}
