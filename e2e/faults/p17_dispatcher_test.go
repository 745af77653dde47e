package faults

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// atOnce is how many runs a dispatcher of the test may have read and not decided. A kill may send so many again, and no more:
// in practice it is those that were being called, and those whose record Kafka had not acknowledged.
const atOnce = 200

// TestP17DispatchersKilledSkipNoRun kills one of two dispatchers again and again while calls are under way. Some stay away
// until their partitions have moved, and some lose their files.
func TestP17DispatchersKilledSkipNoRun(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	var calls atomic.Int64
	f.Workflows.Follow(func(http.ResponseWriter, *http.Request, []byte) bool {
		took := 20 * time.Millisecond // so that a kill meets calls
		if calls.Add(1)%50 == 0 {
			took = 2 * time.Second // longer than the time between two commits, which must not pass over it
		}
		f.Pause(took)
		return true
	})
	dispatchers := []fleet.Launch{dispatcherNamed("dispatcher"), dispatcherNamed("other")}
	f.Start(dispatchers[0])
	f.Start(dispatchers[1])
	ingest := f.Start(fleet.Launch{Role: "ingest"})
	f.Start(fleet.Launch{Role: "processor"})
	f.Start(fleet.Launch{Role: "eventlog"})
	for _, name := range []string{"dispatcher", "other", "ingest", "processor", "eventlog"} {
		f.Process(name).AwaitReady()
	}
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	kills, moved, lost := 0, 0, 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); kills++ {
		f.Pause(between(random, 0, time.Second))
		victim := dispatchers[random.IntN(len(dispatchers))]
		f.Process(victim.Name).Kill()
		switch chance(random) {
		case 0:
			moved++
			f.Pause(between(random, fleet.SessionTime, fleet.SessionTime+2*time.Second))
		case 1:
			lost++
			if err := os.RemoveAll(f.Dir(victim.Name)); err != nil {
				t.Fatal(err)
			}
		}
		f.Start(victim).AwaitReady() // so that the next kill meets calls
	}
	t.Log(load.Stop())
	report := f.Ledger.Check(t)
	if report.Resent > atOnce*kills {
		t.Errorf("%d runs were sent again after %d kills, more than %d for each", report.Resent, kills, atOnce)
	}
	t.Logf("figure: %d kills of dispatchers (%d stayed away until their partitions had moved, %d lost their files), %d runs, 0 skipped, %d sent again (%s a kill)",
		kills, moved, lost, report.Runs, report.Resent, ratio(report.Resent, kills))
}

func dispatcherNamed(name string) fleet.Launch {
	return fleet.Launch{Role: "dispatcher", Name: name, Flags: []string{"--dispatcher-concurrency=64", fmt.Sprintf("--dispatcher-max-outstanding=%d", atOnce)}}
}

// chance is what happens to one that was killed: 0 and 1 are rare.
func chance(random *rand.Rand) int { return random.IntN(10) }

func ratio(part, of int) string { return fmt.Sprintf("%.1f", float64(part)/float64(max(1, of))) }
