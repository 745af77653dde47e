package query_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// span is everything of the story's partition.
func (s *story) span() query.Span {
	return query.Span{
		Topic: "t.events", Partition: 1, First: 0, Until: 1000, Environment: "production", Source: "src_shop",
		From: s.start.Add(-time.Hour), To: s.start.Add(time.Hour),
	}
}

func TestStoredEventsComeOnceAndInTheOrderOfTheirOffsets(t *testing.T) {
	s := newStory(t)
	for n := range 10 {
		e := s.event(func(e *told) { e.offset = int64(90 - 10*n) }) // the latest lies first
		s.write(e)                                                  // a copy that waits to be merged
	}
	s.event(func(e *told) { e.offset, e.event = 45, "Visit" })
	s.event(func(e *told) { e.offset, e.source = 46, "src_other" })
	f := func(change func(*query.Span), maxBytes int, wantNext int64, want ...int64) {
		t.Helper()
		span := s.span()
		change(&span)
		events, next, err := s.log.Stored(t.Context(), span, maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) != len(want) || next != wantNext {
			t.Fatalf("%d events, next %d; want %v, next %d", len(events), next, want, wantNext)
		}
		for i, e := range events {
			if e.Offset != want[i] || e.SourceID != "src_shop" || e.EventID == "" || e.Environment != "production" || e.Body[0] != '{' {
				t.Errorf("%+v, want offset %d", e, want[i])
			}
		}
	}
	f(func(*query.Span) {}, 1<<20, 1000, 0, 10, 20, 30, 40, 45, 50, 60, 70, 80, 90)
	f(func(span *query.Span) { span.Names = []string{"Order Completed"} }, 1<<20, 1000, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
	f(func(span *query.Span) { span.First, span.Until = 20, 50 }, 1<<20, 50, 20, 30, 40, 45)
	f(func(span *query.Span) { span.First, span.Until = 20, 50 }, 1, 21, 20) // one at least
	f(func(span *query.Span) { span.From, span.To = s.start.Add(2*time.Second), s.start.Add(4*time.Second) }, 1<<20, 1000, 60, 70)
	f(func(span *query.Span) { span.Partition = 2 }, 1<<20, 1000)
	first, until, found, err := s.log.Bounds(t.Context(), s.span())
	if err != nil || !found || first != 0 || until != 91 {
		t.Errorf("from %d to before %d: %v, %v", first, until, found, err)
	}
	nothing := s.span()
	nothing.Topic = "u.events"
	if _, _, found, err := s.log.Bounds(t.Context(), nothing); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
}

func TestWhatReplaysDecidedIsNotTheStatusOfAnEvent(t *testing.T) {
	s := newStory(t)
	failed, repeated, undecided := s.event(nil), s.event(nil), s.event(nil)
	entry := schemas.TriggerDecision{TriggerID: "trg_1", Revision: 1, Workflow: "w", Outcome: schemas.MappingError}
	s.decide(failed, schemas.Processed, time.Second, -1, schemas.TriggerDecision{TriggerID: "trg_1", Outcome: schemas.Matched})
	s.decide(failed, schemas.Failed, 2*time.Second, -1, entry) // the latest stands
	s.decide(repeated, schemas.Duplicate, time.Second, 0)
	s.decide(undecided, schemas.Processed, time.Second, -1, entry)
	if err := s.conn.Exec(t.Context(), "INSERT INTO decisions (* EXCEPT (replay_id), replay_id) SELECT * EXCEPT (replay_id), 'rpl_1' FROM decisions WHERE input_offset = 2"); err != nil {
		t.Fatal(err)
	}
	if err := s.conn.Exec(t.Context(), "DELETE FROM decisions WHERE input_offset = 2 AND replay_id = ''"); err != nil {
		t.Fatal(err)
	}
	statuses, err := s.log.Statuses(t.Context(), s.span())
	if err != nil || len(statuses) != 2 || statuses[failed.offset] != schemas.Failed || statuses[repeated.offset] != schemas.Duplicate {
		t.Errorf("%v, %v", statuses, err)
	}
	outcomes, err := s.log.Outcomes(t.Context(), s.span(), []string{"trg_1", "trg_2"})
	if err != nil || len(outcomes) != 1 || outcomes[failed.offset][0].Outcome != schemas.MappingError {
		t.Errorf("%v, %v", outcomes, err)
	}
}

func TestRunsAreKnownUnlessTheReplayItselfMadeThem(t *testing.T) {
	s := newStory(t)
	e := s.event(nil)
	live := s.run(e, "trg_1", "w", `{"recipients":["u-1"]}`)
	own := s.run(e, "trg_2", "w", `{}`)
	if err := s.conn.Exec(t.Context(), "ALTER TABLE runs UPDATE replay_id = 'rpl_1' WHERE trigger_id = 'trg_2' SETTINGS mutations_sync = 1"); err != nil {
		t.Fatal(err)
	}
	ids := []string{live, own, schemas.RunID("trg_3", e.id, 0).String()}
	known, err := s.log.KnownRuns(t.Context(), s.span(), ids, "rpl_1")
	if err != nil || len(known) != 1 || known[live].Request != sha256.Sum256([]byte(`{"recipients":["u-1"]}`)) {
		t.Errorf("%v, %v", known, err)
	}
	if known, err = s.log.KnownRuns(t.Context(), s.span(), ids, "rpl_2"); err != nil || len(known) != 2 || known[own].ReplayID != "rpl_1" {
		t.Errorf("%v, %v", known, err)
	}
	if known, err = s.log.KnownRuns(t.Context(), s.span(), nil, "rpl_2"); err != nil || len(known) != 0 {
		t.Errorf("%v, %v", known, err)
	}
}
