package processor

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

// panicking is a trigger whose evaluation panics: it has no rule, and nothing that says so.
func panicking() *compiledTrigger {
	trigger := newCompiledTrigger(schemas.Trigger{ID: "trg_panicking", Revision: 1}, slog.New(slog.DiscardHandler))
	trigger.rule = nil
	return trigger
}

func compiledFor(t *testing.T, trigger schemas.Trigger) *compiledTrigger {
	t.Helper()
	trigger.Status, trigger.Revision = schemas.TriggerActive, 1
	compiled := newCompiledTrigger(trigger, slog.New(slog.DiscardHandler))
	if compiled.invalid != nil {
		t.Fatal(compiled.invalid)
	}
	return compiled
}

func considered(body string, triggers ...*compiledTrigger) *decision {
	meta := schemas.EventMeta{EventID: "evt", SourceID: "src", Environment: "production", Event: "Order", ReceivedAt: time.Unix(0, 0).UTC()}
	d := newDecision()
	d.begin(schemas.Decision{EventID: meta.EventID})
	d.consider(meta, []byte(body), &binding{source: "app", triggers: triggers})
	return d
}

func TestPanicFailsTheTriggerAndNotTheOthers(t *testing.T) {
	d := considered(`{"userId":"u1","properties":{"total":5}}`,
		compiledFor(t, schemas.Trigger{ID: "before", Condition: "data.total == 5"}), panicking(), compiledFor(t, schemas.Trigger{ID: "after", Condition: "data.total == 5"}))
	want := []schemas.Outcome{schemas.Matched, schemas.ConditionError, schemas.Matched}
	for i, outcome := range want {
		if d.Triggers[i].Outcome != outcome {
			t.Errorf("trigger %d: %+v, want %s", i, d.Triggers[i], outcome)
		}
	}
	if d.Status != schemas.Failed || len(d.runs) != 2 || d.Triggers[1].TriggerID != "trg_panicking" || d.Triggers[1].Reason == "" {
		t.Errorf("%s with %d runs: %+v", d.Status, len(d.runs), d.Triggers[1])
	}
}

func TestBodyThatCannotBeReadFailsTheTriggersThatReadIt(t *testing.T) {
	for _, body := range []string{"", "null", "[1]", `{"properties":`, "\xff\x00", `{"properties":` + strings.Repeat("[", 100_000)} {
		d := considered(body, compiledFor(t, schemas.Trigger{ID: "reads", Condition: "data.total == 5"}), compiledFor(t, schemas.Trigger{ID: "not", Condition: `event == "None"`}))
		if d.Status != schemas.Failed || d.Triggers[0].Outcome != schemas.ConditionError || d.Triggers[0].Reason == "" || d.Triggers[1].Outcome != schemas.ConditionFalse {
			t.Errorf("%.20q: %s, %+v", body, d.Status, d.Triggers)
		}
	}
}

func TestRunsOfOneEventAreBoundedTogether(t *testing.T) {
	var triggers []*compiledTrigger
	for i := range 40 {
		triggers = append(triggers, compiledFor(t, schemas.Trigger{ID: fmt.Sprint("trg_", i)}))
	}
	d := considered(`{"userId":"u1","properties":{"text":"`+strings.Repeat("x", 500_000)+`"}}`, triggers...)
	written := 0
	for _, run := range d.runs {
		written += len(run.key) + len(run.value)
	}
	last := d.Triggers[39]
	if written > maxRunsBytes || len(d.runs) < 30 || len(d.runs) == 40 || last.Outcome != schemas.MappingError || !strings.Contains(last.Reason, "together") {
		t.Errorf("%d runs with %d bytes, the last trigger: %+v", len(d.runs), written, last)
	}
}

func TestDecisionThatIsTooLargeForKafkaIsCut(t *testing.T) {
	f := func(entries, reason int, wantAll bool) {
		t.Helper()
		d := &decision{}
		d.begin(schemas.Decision{Schema: schemas.Version, EventID: "evt"})
		for i := range entries {
			outcome := schemas.ConditionFalse
			if i%2 == 0 {
				outcome = schemas.ConditionError
			}
			d.Triggers = append(d.Triggers, schemas.TriggerDecision{TriggerID: fmt.Sprint("trg_", i), Outcome: outcome, Reason: strings.Repeat("é", reason/2)})
		}
		value := d.encode()
		read, err := schemas.Decode[schemas.Decision](value)
		if err != nil {
			t.Fatal(err)
		}
		if len(value) > maxRecordBytes || read.Reason == "" || (len(read.Triggers) == entries) != wantAll {
			t.Errorf("%d triggers, reasons of %d bytes: %d bytes, %d entries, %q", entries, reason, len(value), len(read.Triggers), read.Reason)
		}
		if !wantAll && len(value) < maxRecordBytes*9/10 {
			t.Errorf("more was left out than had to be: %d bytes", len(value))
		}
	}
	f(3000, 1000, true)
	f(5000, 1000, false)
	f(20000, 300, false)
}

func TestTriggerThatStaysSlowIsSwitchedOffOnce(t *testing.T) {
	var log strings.Builder
	trigger := compiledFor(t, schemas.Trigger{ID: "slow"})
	trigger.logger = slog.New(slog.NewTextHandler(&log, nil))
	for range 2 * slowLimit {
		trigger.note(slowAfter+1, "evt")
	}
	d := considered(`{"userId":"u1"}`, trigger)
	if d.Triggers[0].Outcome != schemas.ConditionError || d.Triggers[0].Reason != reasonOff || len(d.runs) != 0 {
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
