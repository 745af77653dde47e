package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

// panicking is a trigger whose evaluation panics: it has no rule, and nothing that says so.
func panicking() *Bound {
	trigger := Bind(schemas.Trigger{ID: "trg_panicking", Revision: 1})
	trigger.rule = nil
	return trigger
}

func boundTo(t *testing.T, trigger schemas.Trigger) *Bound {
	t.Helper()
	trigger.Status, trigger.Revision = schemas.TriggerActive, 1
	bound := Bind(trigger)
	if bound.Invalid != nil {
		t.Fatal(bound.Invalid)
	}
	return bound
}

func asked(body string, triggers ...*Bound) *Draft {
	meta := schemas.EventMeta{EventID: "evt", SourceID: "src", Environment: "production", Event: "Order", ReceivedAt: time.Unix(0, 0).UTC()}
	d := NewDraft()
	d.Begin(schemas.Decision{EventID: meta.EventID})
	d.Look(meta, []byte(body), "app")
	for _, trigger := range triggers {
		d.Ask(trigger)
	}
	return d
}

func TestPanicFailsTheTriggerAndNotTheOthers(t *testing.T) {
	d := asked(`{"userId":"u1","properties":{"total":5}}`,
		boundTo(t, schemas.Trigger{ID: "before", Condition: "data.total == 5"}), panicking(), boundTo(t, schemas.Trigger{ID: "after", Condition: "data.total == 5"}))
	want := []schemas.Outcome{schemas.Matched, schemas.ConditionError, schemas.Matched}
	for i, outcome := range want {
		if d.Triggers[i].Outcome != outcome {
			t.Errorf("trigger %d: %+v, want %s", i, d.Triggers[i], outcome)
		}
	}
	if d.Status != schemas.Failed || len(d.Runs) != 2 || d.Triggers[1].TriggerID != "trg_panicking" || d.Triggers[1].Reason == "" {
		t.Errorf("%s with %d runs: %+v", d.Status, len(d.Runs), d.Triggers[1])
	}
}

func TestBodyThatCannotBeReadFailsTheTriggersThatReadIt(t *testing.T) {
	for _, body := range []string{"", "null", "[1]", `{"properties":`, "\xff\x00", `{"properties":` + strings.Repeat("[", 100_000)} {
		d := asked(body, boundTo(t, schemas.Trigger{ID: "reads", Condition: "data.total == 5"}), boundTo(t, schemas.Trigger{ID: "not", Condition: `event == "None"`}))
		if d.Status != schemas.Failed || d.Triggers[0].Outcome != schemas.ConditionError || d.Triggers[0].Reason == "" || d.Triggers[1].Outcome != schemas.ConditionFalse {
			t.Errorf("%.20q: %s, %+v", body, d.Status, d.Triggers)
		}
	}
}

func TestRunsOfOneEventAreBoundedTogether(t *testing.T) {
	var triggers []*Bound
	for i := range 40 {
		triggers = append(triggers, boundTo(t, schemas.Trigger{ID: fmt.Sprint("trg_", i)}))
	}
	d := asked(`{"userId":"u1","properties":{"text":"`+strings.Repeat("x", 500_000)+`"}}`, triggers...)
	written := 0
	for _, run := range d.Runs {
		written += len(run.Key) + len(run.Value)
	}
	last := d.Triggers[39]
	if written > maxRunsBytes || len(d.Runs) < 30 || len(d.Runs) == 40 || last.Outcome != schemas.MappingError || !strings.Contains(last.Reason, "together") {
		t.Errorf("%d runs with %d bytes, the last trigger: %+v", len(d.Runs), written, last)
	}
}

func TestDecisionThatIsTooLargeForKafkaIsCut(t *testing.T) {
	f := func(entries, reason int, wantAll bool) {
		t.Helper()
		d := NewDraft()
		d.Begin(schemas.Decision{Schema: schemas.Version, EventID: "evt"})
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

func TestConditionOfItsOwnFiltersEvents(t *testing.T) {
	f := func(condition, body string, want bool, wantErr string) {
		t.Helper()
		compiled, err := CompileCondition(condition)
		if err != nil {
			t.Fatal(err)
		}
		got, err := asked(body).Passes(compiled)
		if got != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s on %s: %v, %v", condition, body, got, err)
		}
	}
	f(`data.total > 100`, `{"properties":{"total":101}}`, true, "")
	f(`data.total > 100`, `{"properties":{"total":100}}`, false, "")
	f(`source == "app" && event == "Order"`, `{}`, true, "")
	f(`data.total > 100`, `{"properties":`, false, "cannot be read")
	if _, err := CompileCondition("data.total >"); err == nil {
		t.Error("half an expression was compiled")
	}
}
