package processor_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// guarantees runs a test under both.
func guarantees(t *testing.T, test func(t *testing.T, guarantee processor.Guarantee)) {
	t.Helper()
	for _, guarantee := range []processor.Guarantee{processor.AtLeastOnce, processor.ExactlyOnce} {
		t.Run(string(guarantee), func(t *testing.T) { test(t, guarantee) })
	}
}

func TestEventStartsTheRunsOfItsTriggers(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newWorld(t)
		first := w.trigger(func(x *schemas.Trigger) { x.Condition = "data.total > 100" })
		second := w.trigger(func(x *schemas.Trigger) { x.Event, x.Workflow = schemas.AnyEvent, "audit" })
		w.run(guarantee)
		ids := w.post(event{messageID: "m1", data: `{"total":150.50}`}, event{messageID: "m2", data: `{"total":50}`})
		w.requireStatus(ids, schemas.Processed, schemas.Processed)
		requireOutcomes(t, w.decisions[ids[0]], map[string]schemas.Outcome{first.ID: schemas.Matched, second.ID: schemas.Matched})
		requireOutcomes(t, w.decisions[ids[1]], map[string]schemas.Outcome{first.ID: schemas.ConditionFalse, second.ID: schemas.Matched})
		run := w.runs[schemas.RunID(first.ID, ids[0], 0).String()]
		if run.Workflow != "order" || run.EventID != ids[0] || run.TriggerRevision != 1 || string(run.Request) != `{"recipients":["u1"],"data":{"total":150.50}}` {
			t.Errorf("run %+v with request %s", run, run.Request)
		}
		if len(w.runs) != 3 {
			t.Errorf("%d runs, want 3", len(w.runs))
		}
	})
}

func requireOutcomes(t *testing.T, decision schemas.Decision, want map[string]schemas.Outcome) {
	t.Helper()
	got := map[string]schemas.Outcome{}
	for _, trigger := range decision.Triggers {
		got[trigger.TriggerID] = trigger.Outcome
	}
	if asJSON(t, got) != asJSON(t, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
}

func TestDuplicateWithinTheWindowTriggersNothing(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newWorld(t)
		w.trigger(nil)
		w.run(guarantee)
		ids := w.post(
			event{messageID: "m1"}, event{messageID: "m1", after: 23 * time.Hour}, event{messageID: "m1", after: 48 * time.Hour},
			event{messageID: "m1", name: "Other"}, event{}, event{},
		)
		w.requireStatus(ids, schemas.Processed, schemas.Duplicate, schemas.Processed, schemas.NoTrigger, schemas.Processed, schemas.Processed)
		first, repeat := w.decisions[ids[0]], w.decisions[ids[1]]
		if repeat.DuplicateOf == nil || *repeat.DuplicateOf != first.Input || len(repeat.Triggers) != 0 {
			t.Errorf("the repeat says %+v, the first lies at %+v", repeat, first.Input)
		}
		if len(w.runs) != 4 {
			t.Errorf("%d runs, want 4", len(w.runs))
		}
	})
}

func TestDedupCanBeSwitchedOffForAnEndpoint(t *testing.T) {
	w := newWorld(t)
	if _, err := w.writer.UpdateSource(t.Context(), w.source.ID, func(s *schemas.Source) error {
		endpoint := s.Endpoints["production"]
		endpoint.DedupWindow = 0
		s.Endpoints["production"] = endpoint
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.trigger(nil)
	w.run(processor.AtLeastOnce)
	w.requireStatus(w.post(event{messageID: "m1"}, event{messageID: "m1"}), schemas.Processed, schemas.Processed)
}

func TestRepeatIsRecognisedAfterARestart(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newWorld(t)
		w.trigger(nil)
		stop := w.run(guarantee)
		var before []event
		for i := range 200 {
			before = append(before, event{messageID: fmt.Sprint("m", i)})
		}
		first := w.post(before...)
		w.await(first...)
		stop()
		w.run(guarantee)
		again := w.post(before...)
		w.await(again...)
		for i := range again {
			if got := w.decisions[again[i]]; got.Status != schemas.Duplicate || *got.DuplicateOf != w.decisions[first[i]].Input {
				t.Fatalf("repeat %d: %+v", i, got)
			}
		}
		if len(w.runs) != 200 {
			t.Errorf("%d runs, want 200", len(w.runs))
		}
		for id, copies := range w.copies {
			if copies != 1 {
				t.Errorf("event %s was decided %d times although every stop was in good order", id, copies)
			}
		}
	})
}

func TestTriggerChangesTakeEffectWithoutARestart(t *testing.T) {
	w := newWorld(t)
	w.run(processor.AtLeastOnce)
	w.requireStatus(w.post(event{}), schemas.NoTrigger)
	made := w.trigger(nil)
	w.requireStatus(w.post(event{}), schemas.Processed)
	if _, err := w.writer.UpdateTrigger(t.Context(), made.ID, func(x *schemas.Trigger) error {
		x.Status = schemas.TriggerInactive
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ids := w.post(event{})
	w.requireStatus(ids, schemas.Processed)
	requireOutcomes(t, w.decisions[ids[0]], map[string]schemas.Outcome{made.ID: schemas.Inactive})
	if err := w.writer.DeleteTrigger(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	w.requireStatus(w.post(event{}), schemas.NoTrigger)
}

func TestFailingTriggerFailsTheEventAndNotTheOthers(t *testing.T) {
	w := newWorld(t)
	broken := w.trigger(func(x *schemas.Trigger) {
		x.Mapping = schemas.Mapping{Recipients: json.RawMessage(`"data.nobody"`)}
	})
	fine := w.trigger(nil)
	w.run(processor.AtLeastOnce)
	ids := w.post(event{messageID: "m1"}, event{messageID: "m1"})
	w.requireStatus(ids, schemas.Failed, schemas.Duplicate)
	requireOutcomes(t, w.decisions[ids[0]], map[string]schemas.Outcome{broken.ID: schemas.MappingError, fine.ID: schemas.Matched})
	if reason := w.decisions[ids[0]].Triggers[0].Reason; !strings.Contains(reason, "data.nobody") {
		t.Errorf("the reason does not name the path: %q", reason)
	}
}

func TestRunThatIsTooLargeForKafkaIsAMappingError(t *testing.T) {
	w := newWorld(t)
	w.trigger(func(x *schemas.Trigger) {
		x.Mapping = schemas.Mapping{Data: map[string]json.RawMessage{}}
		for i := range 4 {
			x.Mapping.Data[fmt.Sprint("copy", i)] = json.RawMessage(`"data"`)
		}
	})
	w.run(processor.AtLeastOnce)
	ids := w.post(event{data: `{"text":"` + strings.Repeat("x", 400<<10) + `"}`}, event{})
	w.requireStatus(ids, schemas.Failed, schemas.Processed)
	if reason := w.decisions[ids[0]].Triggers[0].Reason; !strings.Contains(reason, "bytes") {
		t.Errorf("reason %q", reason)
	}
}

func TestRecordThatIsNoEventIsSkipped(t *testing.T) {
	w := newWorld(t)
	w.run(processor.AtLeastOnce)
	for partition := range int32(3) {
		stray := &kgo.Record{Topic: w.config.Topic(schemas.EventsTopic), Partition: partition, Value: []byte("stray")}
		if err := w.client.ProduceSync(t.Context(), stray).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	w.requireStatus(w.post(event{messageID: "a"}, event{messageID: "b"}, event{messageID: "c"}), schemas.NoTrigger, schemas.NoTrigger, schemas.NoTrigger)
}
