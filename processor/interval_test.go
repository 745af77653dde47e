package processor_test

import (
	"testing"
	"time"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/rig"
)

// TestEventsThatComeOneAfterAnotherShareCommits posts each event when the one before it is acknowledged, and counts the
// commits.
func TestEventsThatComeOneAfterAnotherShareCommits(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newWorld(t)
		w.trigger(nil)
		const interval = 500 * time.Millisecond
		w.runAs(processor.Config{
			Guarantee: guarantee, BatchRecords: 1000, BatchTime: time.Minute, BatchInterval: interval, CommitTimeout: 10 * time.Second,
			DedupDir: w.dedupDir, DedupMemory: 8 << 20,
		})
		w.await(w.post(event{messageID: "first"})...)
		began := time.Now()
		var ids []string
		for _, e := range events("next", 20) {
			ids = append(ids, w.post(e)...)
		}
		w.await(ids...)
		most := 2 + int(time.Since(began)/interval)
		if commits := int(rig.Counted(t, w.processor.Metrics(), "millrace_processor_batches_total", "committed")); commits > most {
			t.Errorf("%d commits for 21 events in %s, want %d at most", commits, time.Since(began), most)
		}
	})
}
