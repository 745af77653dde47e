package eventlog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// deadLetter returns the record of a run that was given up at its nth attempt.
func (m *maker) deadLetter(of schemas.Run, attempts int) (*kgo.Record, schemas.DeadLetter) {
	letter := schemas.DeadLetter{Schema: schemas.Version, Run: of, Key: "production\x00ü \"1"}
	for n := range attempts {
		letter.Attempts = append(letter.Attempts, schemas.Attempt{
			Attempt: n + 1, AttemptedAt: of.CreatedAt.Add(time.Duration(n+1) * time.Second), LatencyMs: 1.5, StatusCode: 503, Error: "busy",
		})
	}
	letter.Last = schemas.Delivery{
		Schema: schemas.Version, RunID: of.RunID, EventID: of.EventID, Environment: of.Environment, Workflow: of.Workflow, Attempt: attempts,
		Outcome: schemas.Dead, AttemptedAt: of.CreatedAt.Add(time.Duration(attempts) * time.Second), LatencyMs: 1.5, StatusCode: 400,
		Error: "400 Bad Request", Response: strings.Repeat("é", 2048),
	}
	return record(m, schemas.DeadRunsTopic, of.RunID, letter), letter
}

func TestEveryDeadLetterIsWrittenExactlyOnce(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.config.Flush.Rows = 50
	var records []*kgo.Record
	for i := range 400 {
		_, meta := r.event(`{"type":"track","event":"E"}`)
		_, run := r.run(meta, fmt.Sprint("trg_", i), `{"recipients":["u"]}`)
		record, _ := r.deadLetter(run, i%4)
		records = append(records, record)
	}
	produce(t, r.client, records...)
	for round := 1; round <= 2; round++ {
		stop := r.start()
		r.reaches(round*150, "SELECT count() FROM dead_letters")
		stop()
	}
	r.start()
	r.reaches(len(records), "SELECT count() FROM dead_letters")
	r.exact("dead_letters", records)
}

func TestDeadLetterHoldsWhatSendingTheRunAgainNeeds(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	_, meta := r.event(`{"type":"track","event":"E"}`)
	_, run := r.run(meta, "trg_1", `{"recipients":["ü"],"data":{"n": 9007199254740993.10 ,"x":"<&>"}}`)
	run.ReplayID = "rpl_1"
	made, want := r.deadLetter(run, 3)
	unreadable := record(&r.maker, schemas.DeadRunsTopic, "r", schemas.DeadLetter{Schema: schemas.Version})
	produce(t, r.client, made, unreadable)
	r.start()
	r.reaches(1, "SELECT count() FROM dead_letters")
	r.reaches(1, "SELECT count() FROM quarantine WHERE reason LIKE '%run ID%'")
	if n := r.ask("SELECT count() FROM dead_letters WHERE attempts.attempt = [1, 2, 3] AND attempts.error[2] = 'busy' AND attempt = 3"); n != 1 {
		t.Error("the attempts are not there")
	}

	stored, err := query.New(r.conn).DeadRuns(t.Context(), []string{run.RunID})
	if err != nil || len(stored) != 1 {
		t.Fatalf("got %+v, %v", stored, err)
	}
	got := stored[0].Letter
	if got.Key != want.Key || string(got.Run.Request) == "" {
		t.Errorf("got key %q, request %s", got.Key, got.Run.Request)
	}
	again, err := schemas.Encode(got.Run)
	if err != nil {
		t.Fatal(err)
	}
	// The record of the run, as the dispatcher read and wrote it, is the same to the byte.
	decoded, err := schemas.Decode[schemas.DeadLetter](made.Value)
	if err != nil {
		t.Fatal(err)
	}
	if wanted, err := schemas.Encode(decoded.Run); err != nil || string(again) != string(wanted) {
		t.Errorf("got  %s\nwant %s, %v", again, wanted, err)
	}
}
