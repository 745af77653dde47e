package faults

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/millrace/millrace/rig/fleet"
)

// TestP15AnswersThatComeTooLateStartNoRunTwice lets the workflow API start every fifth run and say so only when nobody waits
// any more. The next call must bring the same key and the same bytes, by which the API knows the run.
func TestP15AnswersThatComeTooLateStartNoRunTwice(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := startPatient(f)
	var calls, late atomic.Int64
	f.Workflows.Follow(func(answer http.ResponseWriter, call *http.Request, body []byte) bool {
		if calls.Add(1)%5 != 0 {
			return true
		}
		f.Workflows.Begin(answer, call, body)
		<-call.Context().Done() // the dispatcher has given up
		late.Add(1)
		return false
	})
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 50, Duplicates: 0.1, Seed: random.Uint64()})
	f.Pause(length)
	t.Log(load.Stop())
	report := f.Ledger.Check(t)
	if late.Load() == 0 || int64(report.Resent) < late.Load() {
		t.Errorf("%d answers came too late, and %d calls came again", late.Load(), report.Resent)
	}
	t.Logf("figure: %d of %d calls answered too late, after %s; %d runs, each started once; %d calls came again, 0 with another key or other bytes",
		late.Load(), calls.Load(), callTimeout, report.Runs, report.Resent)
}
