package query_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

func TestEventTellsAllThatFollowedFromIt(t *testing.T) {
	s := newStory(t)
	s.event(nil)
	told := s.event(nil)
	runID := schemas.RunID("trg_1", told.id, 0).String()
	triggers := []schemas.TriggerDecision{
		{TriggerID: "trg_1", Revision: 3, Workflow: "w", Outcome: schemas.Matched, RunID: runID},
		{TriggerID: "trg_2", Revision: 1, Workflow: "v", Outcome: schemas.ConditionFalse, Reason: "data.total > 100 is false"},
	}
	s.decide(told, schemas.Processed, time.Second, -1, triggers...)
	s.run(told, "trg_1", "w", `{"recipients":["u"],"data":{"n": 1}}`)
	s.attempt(told, runID, "w", 1, schemas.Retrying)
	s.attempt(told, runID, "w", 2, schemas.Delivered)

	detail, err := s.log.Event(t.Context(), told.id)
	if err != nil {
		t.Fatal(err)
	}
	if detail.Body != `{"n": 1 }` || detail.AnonymousID != "anon" || detail.Status != schemas.Processed || len(detail.Notes) != 1 {
		t.Errorf("got %+v", detail)
	}
	if detail.Decision == nil || !reflect.DeepEqual(detail.Decision.Triggers, triggers) || !detail.Decision.DecidedAt.Equal(told.at.Add(time.Second)) {
		t.Errorf("got decision %+v", detail.Decision)
	}
	if len(detail.Runs) != 1 || detail.Runs[0].ID != runID || detail.Runs[0].Status != query.Delivered {
		t.Errorf("got runs %+v", detail.Runs)
	}
	if len(detail.Attempts) != 2 || detail.Attempts[0].Attempt != 1 || detail.Attempts[1].Outcome != schemas.Delivered {
		t.Errorf("got attempts %+v", detail.Attempts)
	}
	var steps []string
	for _, step := range detail.Timeline {
		steps = append(steps, fmt.Sprintf("%g %s %s %s %s", step.AfterMs, step.Step, step.Outcome, step.TriggerID, step.Workflow))
	}
	want := []string{
		"0 received accepted  ", "1000 deduplicated first  ", "1000 trigger matched trg_1 w", "1000 trigger condition_false trg_2 v", "1000 run created trg_1 w",
		"1000 attempt retrying  w", "2000 attempt delivered  w",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("got timeline %q, want %q", steps, want)
	}
}

func TestDuplicateNamesTheFirstEvent(t *testing.T) {
	s := newStory(t)
	first := s.event(nil)
	again := s.event(nil)
	s.decide(again, schemas.Duplicate, time.Second, first.offset)
	detail, err := s.log.Event(t.Context(), again.id)
	if err != nil || detail.Decision == nil || detail.Decision.DuplicateOf != first.id {
		t.Fatalf("got %+v, %v, want a duplicate of %s", detail.Decision, err, first.id)
	}
	gone := s.event(nil)
	s.decide(gone, schemas.Duplicate, time.Second, 777)
	if detail, err = s.log.Event(t.Context(), gone.id); err != nil || detail.Decision.DuplicateOf != "" || detail.Status != schemas.Duplicate {
		t.Errorf("got %+v, %v, want a duplicate of an event that has expired", detail.Decision, err)
	}
}

func TestUndecidedEventHasNoStatusAndNoDecision(t *testing.T) {
	s := newStory(t)
	told := s.event(nil)
	detail, err := s.log.Event(t.Context(), told.id)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := json.Marshal(detail)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(answer, &members); err != nil {
		t.Fatal(err)
	}
	if _, present := members["status"]; present || members["decision"] != nil {
		t.Errorf("got %s", answer)
	}
	for _, name := range []string{"notes", "runs", "attempts"} {
		if _, isList := members[name].([]any); !isList {
			t.Errorf("%s is not a list in %s", name, answer)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s := newStory(t)
	s.event(nil)
	unknown, err := schemas.NewEventID(s.start)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{unknown.String(), uuid.NewString()} {
		if _, err := s.log.Event(t.Context(), id); !errors.Is(err, query.ErrNotFound) {
			t.Errorf("event %s: got %v", id, err)
		}
		if _, err := s.log.Run(t.Context(), id); !errors.Is(err, query.ErrNotFound) {
			t.Errorf("run %s: got %v", id, err)
		}
	}
}
