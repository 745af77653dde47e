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
