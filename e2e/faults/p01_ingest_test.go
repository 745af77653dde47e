package faults

import (
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// TestP01IngestKilledKeepsWhatItAnswered kills one of two ingest processes again and again.
func TestP01IngestKilledKeepsWhatItAnswered(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	victim := fleet.Launch{Role: "ingest", Name: "victim"}
	first := f.StartAll()
	url := f.Start(victim)
	url.AwaitReady()
	load := f.StartLoad(fleet.Senders{To: []string{first.URL, url.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	kills := 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); kills++ {
		f.Pause(between(random, 0, time.Second))
		f.Process("victim").Kill()
		f.Start(victim).AwaitReady()
	}
	t.Logf("%d kills; %s", kills, load.Stop())
	f.Ledger.Check(t)
}
