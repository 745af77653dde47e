package faults

import (
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// TestP03ProcessorsKilledLoseAndDoubleNothing kills one of two processors again and again, some of them before they have
// found their place again.
func TestP03ProcessorsKilledLoseAndDoubleNothing(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := f.StartAll()
	f.Start(fleet.Launch{Role: "processor", Name: "second"}).AwaitReady()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.3, Seed: random.Uint64()})
	kills := 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); kills++ {
		f.Pause(between(random, 0, 2*time.Second))
		victim := f.Process([]string{"processor", "second"}[random.IntN(2)])
		victim.Kill()
		f.Start(victim.Launch)
	}
	t.Logf("%d kills; %s", kills, load.Stop())
	judge(t, f, "%d kills", kills)
}

// judge lets the ledger compare everything and prints a figure.
func judge(t *testing.T, f *fleet.Fleet, format string, args ...any) {
	t.Helper()
	report := f.Ledger.Check(t)
	if !t.Failed() {
		t.Logf("figure: "+format+"; "+report.String(), args...)
	}
}

// startTogether starts processes and waits until all are ready.
func startTogether(f *fleet.Fleet, launches ...fleet.Launch) []*fleet.Process {
	var all []*fleet.Process
	for _, launch := range launches {
		all = append(all, f.Start(launch))
	}
	for _, p := range all {
		p.AwaitReady()
	}
	return all
}
