package query_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

func TestRunsAreFilteredByEachMember(t *testing.T) {
	s := newStory(t)
	request := `{"recipients":["u"]}`
	first, second := s.event(nil), s.event(nil)
	other := s.event(func(e *told) { e.source, e.env = "src_app", "development" })
	pending := s.run(first, "trg_1", "w", request)
	retrying := s.run(second, "trg_1", "w", request)
	delivered := s.run(second, "trg_2", "v", request)
	dead := s.run(other, "trg_3", "v", request)
	replayed := schemas.RunID("trg_4", first.id, 0).String()
	s.insert("runs (run_id, environment, source_id, workflow, trigger_id, trigger_revision, event_id, received_at, created_at, replay_id, request, topic, partition, offset)",
		replayed, "staging", first.source, "w", "trg_4", int64(1), first.id, first.at, s.start, "rpl_1", request, "t.runs.replay", int32(0), int64(7))
	s.attempt(second, retrying, "w", 1, schemas.Retrying)
	s.attempt(second, delivered, "v", 1, schemas.Delivered)
	s.attempt(second, delivered, "v", 2, schemas.Retrying) // sent again after a crash, and answered later
	s.attempt(other, dead, "v", 1, schemas.Retrying)
	s.attempt(other, dead, "v", 2, schemas.Dead)

	f := func(filter query.RunFilter, want ...string) {
		t.Helper()
		page, err := s.log.Runs(t.Context(), filter)
		if err != nil {
			t.Fatalf("%+v: %v", filter, err)
		}
		var got []string
		for _, item := range page.Items {
			got = append(got, item.ID)
			if filter.Status != "" && item.Status != filter.Status {
				t.Errorf("%+v: a run with status %s", filter, item.Status)
			}
		}
		if !sameSet(got, want) {
			t.Errorf("%+v: got %v, want %v", filter, got, want)
		}
	}
	f(query.RunFilter{}, dead, retrying, delivered, pending, replayed)
	f(query.RunFilter{Source: "src_app"}, dead)
	f(query.RunFilter{Environment: "production"}, retrying, delivered, pending)
	f(query.RunFilter{Workflow: "v"}, dead, delivered)
	f(query.RunFilter{Replay: "rpl_1"}, replayed)
	f(query.RunFilter{EventID: second.id}, retrying, delivered)
	f(query.RunFilter{Status: query.Pending}, pending, replayed)
	f(query.RunFilter{Status: query.Pending, Uncalled: []string{"staging"}}, pending)
	f(query.RunFilter{Status: query.Published, Uncalled: []string{"staging", "development"}}, replayed)
	f(query.RunFilter{Status: query.Published})
	f(query.RunFilter{Status: query.Retrying}, retrying)
	f(query.RunFilter{Status: query.Delivered}, delivered)
	f(query.RunFilter{Status: query.Dead}, dead)
	f(query.RunFilter{Status: query.Dead, Environment: "production", Workflow: "v", Source: "src_shop", EventID: second.id})
}

func TestRunPagesHoldEachRunOnce(t *testing.T) {
	s := newStory(t)
	var want, got []string
	for i := range 9 {
		e := s.event(func(e *told) { e.at = s.start.Add(time.Duration(i/3) * time.Millisecond) })
		want = append(want, s.run(e, "trg_1", "w", `{"recipients":["u"]}`))
	}
	for filter := (query.RunFilter{Limit: 2}); ; {
		page, err := s.log.Runs(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			break
		}
	}
	if len(got) != len(want) || !sameSet(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRunShowsItsInputsAndAttempts(t *testing.T) {
	s := newStory(t)
	e := s.event(nil)
	id := s.run(e, "trg_1", "w", `{"recipients":["u",{"id":"v"}],"actor":"a","tenant":{"id":"acme"},"cancellation_key":"k","data":{"n": 1.0}}`)
	s.attempt(e, id, "w", 1, schemas.Dead)
	run, err := s.log.Run(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := query.RunItem{
		ID: id, Workflow: "w", TriggerID: "trg_1", EventID: e.id, Environment: e.env, SourceID: e.source,
		Recipients: []json.RawMessage{[]byte(`"u"`), []byte(`{"id":"v"}`)}, Actor: []byte(`"a"`), Tenant: []byte(`{"id":"acme"}`),
		CancellationKey: "k", Data: []byte(`{"n": 1.0}`), Status: query.Dead, ReceivedAt: e.at, CreatedAt: e.at.Add(time.Second),
	}
	if !reflect.DeepEqual(run.RunItem, want) {
		t.Errorf("got  %+v\nwant %+v", run.RunItem, want)
	}
	attempt := query.Attempt{
		RunID: id, Attempt: 1, Outcome: schemas.Dead, AttemptedAt: e.at.Add(time.Second), LatencyMs: 12.5, StatusCode: 503,
		Error: "no", Response: "busy", WorkflowRunID: "wr-1",
	}
	if !slices.Equal(run.Attempts, []query.Attempt{attempt}) {
		t.Errorf("got %+v, want %+v", run.Attempts, attempt)
	}
}
