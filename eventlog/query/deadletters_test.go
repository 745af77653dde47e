package query_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// letter is one row of a run that was given up.
type letter struct {
	workflow string
	at       time.Time
	code     uint16
	err      string
	response string
	offset   int64
}

// dies writes a dead letter and the attempt that it tells of, and returns the run's ID.
func (s *story) dies(e told, change func(*letter)) string {
	s.tb.Helper()
	made := letter{workflow: "w", at: e.at.Add(time.Second), code: 503, err: "no", response: "busy", offset: int64(e.position)}
	if change != nil {
		change(&made)
	}
	run := schemas.RunID("trg_1", e.id, 0).String()
	s.writeLetter(e, run, made)
	s.tries(e, run, made.workflow, made.at, schemas.Dead)
	return run
}

func (s *story) writeLetter(e told, run string, l letter) {
	s.tb.Helper()
	s.insert("dead_letters (run_id, event_id, environment, source_id, workflow, trigger_id, trigger_revision, received_at, created_at, replay_id, error,"+
		" status_code, response, first_attempted_at, last_attempted_at, attempt, attempts.attempt, attempts.attempted_at, attempts.latency_ms,"+
		" attempts.status_code, attempts.error, key, request, topic, partition, offset)",
		run, e.id, e.env, e.source, l.workflow, "trg_1", int64(1), e.at, e.at, "", l.err, l.code, l.response, l.at, l.at, uint32(1),
		[]uint32{1}, []time.Time{l.at}, []float64{1}, []uint16{l.code}, []string{l.err}, "k", `{"recipients":["u"]}`, "t.runs.dead", int32(0), l.offset)
}

func (s *story) tries(e told, run, workflow string, at time.Time, outcome schemas.DeliveryOutcome) {
	s.tb.Helper()
	s.insert("deliveries (run_id, event_id, environment, workflow, attempt, outcome, attempted_at, latency_ms, status_code, error, response, workflow_run_id, topic, partition, offset)",
		run, e.id, e.env, workflow, uint32(1), string(outcome), at, 12.5, uint16(503), "no", "busy", "", "t.deliveries", int32(0), at.UnixNano())
}

func (s *story) deadRuns(filter query.DeadLetterFilter) []string {
	s.tb.Helper()
	var ids []string
	for {
		page, err := s.log.DeadLetters(s.tb.Context(), filter)
		if err != nil {
			s.tb.Fatalf("%+v: %v", filter, err)
		}
		for _, item := range page.Items {
			ids = append(ids, item.RunID)
			if filter.State != "" && item.State != filter.State {
				s.tb.Errorf("%+v: %s is %s", filter, item.RunID, item.State)
			}
		}
		if filter.Cursor = page.NextCursor; filter.Cursor == "" {
			return ids
		}
	}
}

func TestDeadLettersAreFilteredByEachMember(t *testing.T) {
	s := newStory(t)
	first, second, third, fourth := s.event(nil), s.event(nil), s.event(nil), s.event(func(e *told) { e.source, e.env = "src_app", "development" })
	open := s.dies(first, func(l *letter) {
		l.code, l.err, l.response = 400, "400 Bad Request", `{"message":"Ünknown recipient"}`
	})
	resent := s.dies(second, nil)
	s.tries(second, resent, "w", second.at.Add(time.Minute), schemas.Retrying)
	delivered := s.dies(third, func(l *letter) { l.workflow = "v" })
	s.tries(third, delivered, "v", third.at.Add(time.Minute), schemas.Delivered)
	silent := s.dies(fourth, func(l *letter) { l.code, l.err, l.response = 0, "dial {text:String} o'clock", "" })

	f := func(filter query.DeadLetterFilter, want ...string) {
		t.Helper()
		if got := s.deadRuns(filter); !slices.Equal(got, want) {
			t.Errorf("%+v: got %v, want %v", filter, got, want)
		}
	}
	code := func(n int) *int { return &n }
	f(query.DeadLetterFilter{}, silent, delivered, resent, open)
	f(query.DeadLetterFilter{Environment: "production"}, delivered, resent, open)
	f(query.DeadLetterFilter{Source: "src_app"}, silent)
	f(query.DeadLetterFilter{Workflow: "w"}, silent, resent, open)
	f(query.DeadLetterFilter{State: query.Open}, silent, open)
	f(query.DeadLetterFilter{State: query.Resent}, resent)
	f(query.DeadLetterFilter{State: query.Resolved}, delivered)
	f(query.DeadLetterFilter{StatusCode: code(400)}, open)
	f(query.DeadLetterFilter{StatusCode: code(0)}, silent)
	f(query.DeadLetterFilter{Text: "bad request"}, open)
	f(query.DeadLetterFilter{Text: "ünKNOWN"}, open)
	f(query.DeadLetterFilter{Text: "{text:String} o'clock"}, silent)
	f(query.DeadLetterFilter{Since: second.at.Add(time.Second), Until: fourth.at.Add(time.Second)}, delivered, resent)
	f(query.DeadLetterFilter{Environment: "production", Workflow: "w", Source: "src_shop", State: query.Open, StatusCode: code(400), Text: "recipient", Since: s.start}, open)
	f(query.DeadLetterFilter{Environment: "staging", State: query.Open})
}

func TestRunThatDiesAgainIsOneDeadLetterTheNewest(t *testing.T) {
	s := newStory(t)
	e := s.event(nil)
	other := s.dies(s.event(nil), nil)
	run := s.dies(e, nil)
	again := letter{workflow: "w", at: e.at.Add(time.Hour), code: http.StatusNotFound, err: "gone", offset: 900}
	s.tries(e, run, "w", again.at.Add(-time.Minute), schemas.Retrying)
	s.tries(e, run, "w", again.at, schemas.Dead)
	s.writeLetter(e, run, again)
	s.writeLetter(e, run, again) // a copy that is not merged yet
	if got := s.deadRuns(query.DeadLetterFilter{Limit: 1}); !slices.Equal(got, []string{run, other}) {
		t.Errorf("got %v, want %v", got, []string{run, other})
	}
	if got := s.deadRuns(query.DeadLetterFilter{Until: e.at.Add(time.Minute)}); !slices.Equal(got, []string{other}) {
		t.Errorf("an older dead letter of a run was listed: %v", got)
	}
	detail, err := s.log.DeadLetter(t.Context(), run)
	if err != nil || detail.State != query.Open || detail.Error != "gone" || detail.StatusCode != http.StatusNotFound || len(detail.Attempts) != 3 ||
		string(detail.Request) != `{"recipients":["u"]}` || !detail.LastAttemptedAt.Equal(again.at) {
		t.Errorf("got %+v, %v", detail, err)
	}
	s.tries(e, run, "w", again.at.Add(time.Minute), schemas.Delivered)
	detail, err = s.log.DeadLetter(t.Context(), run)
	if err != nil || detail.State != query.Resolved || len(detail.Attempts) != 4 || detail.Attempts[3].Outcome != schemas.Delivered {
		t.Errorf("got %+v, %v", detail, err)
	}
	runs, err := s.log.DeadRuns(t.Context(), []string{run, other, schemas.RunID("trg_9", e.id, 0).String()})
	if err != nil || len(runs) != 2 {
		t.Fatalf("got %+v, %v", runs, err)
	}
	for _, r := range runs {
		if want := map[string]query.DeadLetterState{run: query.Resolved, other: query.Open}[r.Letter.Run.RunID]; r.State != want || r.Letter.Key != "k" {
			t.Errorf("got %+v, want state %s", r, want)
		}
	}
}

func TestDeadLetterPagesHoldEachRunOnce(t *testing.T) {
	s := newStory(t)
	var want []string
	for i := range 11 {
		want = append(want, s.dies(s.event(nil), func(l *letter) { l.at = s.start.Add(time.Duration(i/4) * time.Millisecond) }))
	}
	for _, filter := range []query.DeadLetterFilter{{Limit: 3}, {Limit: 2, State: query.Open}} {
		if got := s.deadRuns(filter); len(got) != len(want) || !sameSet(got, want) {
			t.Errorf("%+v: got %v, want %v", filter, got, want)
		}
	}
}

func TestBadDeadLetterFiltersAreNamed(t *testing.T) {
	s := newStory(t)
	now, code := time.Now(), 1000
	for field, filter := range map[string]query.DeadLetterFilter{
		"state": {State: "closed"}, "status_code": {StatusCode: &code}, "limit": {Limit: 501}, "cursor": {Cursor: "x"},
		"since": {Since: now.AddDate(-300, 0, 0)}, "until": {Since: now, Until: now.Add(-time.Hour)},
	} {
		_, err := s.log.DeadLetters(t.Context(), filter)
		var bad *query.FilterError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: got %v", fmt.Sprintf("%+v", filter), err)
		}
	}
	if _, err := s.log.DeadLetter(t.Context(), schemas.RunID("trg_1", s.event(nil).id, 0).String()); !errors.Is(err, query.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	var bad *query.FilterError
	if _, err := s.log.DeadLetter(t.Context(), "7"); !errors.As(err, &bad) {
		t.Errorf("got %v", err)
	}
	if _, err := s.log.DeadRuns(t.Context(), []string{"7"}); !errors.As(err, &bad) || bad.Field != "run_ids[0]" {
		t.Errorf("got %v", err)
	}
}
