package processor

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func compiledFor(t *testing.T, trigger schemas.Trigger) *compiledTrigger {
	t.Helper()
	trigger.Status, trigger.Revision = schemas.TriggerActive, 1
	compiled := newCompiledTrigger(trigger, new(atomic.Int64), slog.New(slog.DiscardHandler))
	if compiled.Invalid != nil {
		t.Fatal(compiled.Invalid)
	}
	return compiled
}

func considered(body string, triggers ...*compiledTrigger) decision {
	meta := schemas.EventMeta{EventID: "evt", SourceID: "src", Environment: "production", Event: "Order", ReceivedAt: time.Unix(0, 0).UTC()}
	d := newDecision()
	d.Begin(schemas.Decision{EventID: meta.EventID})
	d.consider(meta, []byte(body), &binding{source: "app", triggers: triggers})
	return d
}

func TestTriggerThatStaysSlowIsSwitchedOffOnce(t *testing.T) {
	var log strings.Builder
	trigger := compiledFor(t, schemas.Trigger{ID: "slow"})
	trigger.logger = slog.New(slog.NewTextHandler(&log, nil))
	for range 2 * slowLimit {
		trigger.note(slowAfter+1, "evt")
	}
	d := considered(`{"userId":"u1"}`, trigger)
	if d.Triggers[0].Outcome != schemas.ConditionError || d.Triggers[0].Reason != reasonOff || len(d.Runs) != 0 {
		t.Errorf("%+v", d.Triggers[0])
	}
	if lines := strings.Count(log.String(), "switched off"); lines != 1 {
		t.Errorf("logged %d times", lines)
	}
}

func TestSlownessIsAMatterOfTheLastEvaluations(t *testing.T) {
	f := func(slowEvery, evaluations int, want bool) {
		t.Helper()
		var s slowness
		got := false
		for i := range evaluations {
			took := slowAfter
			if i%slowEvery == 0 {
				took++
			}
			got = s.note(took) || got
		}
		if got != want {
			t.Errorf("one of %d slow, %d evaluations: switched off %v, want %v", slowEvery, evaluations, got, want)
		}
	}
	f(1, slowLimit-1, false)
	f(1, slowLimit, true)
	f(6, 10_000, false)
	f(5, 10_000, true)
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if waited(ctx, time.Hour) {
		t.Error("an hour has passed")
	}
}
