package eventlog_test

import (
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func TestReplaysAreWrittenBesideWhatLiveTrafficCameTo(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.start()
	event, meta := r.event(`{"type":"track","event":"Order Completed","messageId":"m","userId":"u"}`)
	live := r.decision(meta, schemas.Failed)
	replayed := record(&r.maker, schemas.ReplayedTopic, meta.EventID, schemas.Decision{
		Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
		Status: schemas.Processed, ReceivedAt: meta.ReceivedAt, DecidedAt: meta.ReceivedAt.Add(time.Hour), ReplayID: "rpl_1",
	})
	_, run := r.run(meta, "trg_1", `{"recipients":["u"]}`)
	run.ReplayID = "rpl_1"
	produce(t, r.client, event, live, replayed, record(&r.maker, schemas.ReplayRunsTopic, run.RunID, run))
	r.reaches(2, "SELECT count() FROM decisions FINAL")
	r.reaches(1, "SELECT count() FROM runs WHERE replay_id = 'rpl_1'")
	if n := r.ask("SELECT countIf(replay_id = '' AND status = 'failed') + countIf(replay_id = 'rpl_1' AND status = 'processed') FROM decisions FINAL"); n != 2 {
		t.Errorf("%d of 2 decisions are as they were made", n)
	}
}
