package processor_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/processor"
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
		if commits := committed(t, w.processor); commits > most {
			t.Errorf("%d commits for 21 events in %s, want %d at most", commits, time.Since(began), most)
		}
	})
}

// committed returns how many batches the processor has committed.
func committed(t *testing.T, p *processor.Processor) int {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.Metrics())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "millrace_processor_batches_total" && metric.GetLabel()[0].GetValue() == "committed" {
				return int(metric.GetCounter().GetValue())
			}
		}
	}
	t.Fatal("no counter of committed batches")
	return 0
}
