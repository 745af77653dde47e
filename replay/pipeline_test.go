package replay_test

import (
	"testing"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestWholePipelineKilledInTheMiddleTheSetOfRunsIsExact kills everything twice, the embedded broker with it, while the
// processor, the event log and live traffic go on beside the replay.
func TestWholePipelineKilledInTheMiddleTheSetOfRunsIsExact(t *testing.T) {
	p := rig.Start(t, "--replay-session-time=6s")
	w := newWorldOn(t, rig.Cluster{Brokers: []string{p.Kafka}, TopicPrefix: p.TopicPrefix})
	w.backfill()
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = float64(len(w.events)) / 8 }))
	stopTraffic := w.background(w.traffic)
	for _, share := range []float64{0.2, 0.5} {
		w.reaches(r.ID, int64(share*float64(len(w.events))))
		p.Kill()
		p.Restart()
	}
	r = w.ends(r.ID, schemas.ReplayCompleted)
	stopTraffic()
	w.exactly(r, isBig)
}
