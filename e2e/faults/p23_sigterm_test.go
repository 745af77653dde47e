package faults

import (
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// drainTime is within what a process that is asked to end must have ended.
const drainTime = 25 * time.Second

// startPairs starts two processes of each role that shares its work, and one of the event log. The first two are ingest.
func startPairs(f *fleet.Fleet) []fleet.Launch {
	launches := []fleet.Launch{
		{Role: "ingest", Name: "ingest-1"},
		{Role: "ingest", Name: "ingest-2"},
		{Role: "processor", Name: "processor-1"},
		{Role: "dispatcher", Name: "dispatcher-1"},
		{Role: "processor", Name: "processor-2"},
		{Role: "dispatcher", Name: "dispatcher-2"},
		{Role: "eventlog"},
	}
	var started []*fleet.Process
	for i := range launches {
		started = append(started, f.Start(launches[i]))
		launches[i] = started[i].Launch
	}
	for _, p := range started {
		p.AwaitReady()
	}
	return launches
}

// TestP23RollingRestartsLoseNothingAndDoubleNothing ends one process after the other under load, with ingest out of the
// balancer before it is told, as Kubernetes does it.
func TestP23RollingRestartsLoseNothingAndDoubleNothing(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	launches := startPairs(f)
	balancer := f.Balance(f.Process("ingest-1"), f.Process("ingest-2"))
	load := f.StartLoad(fleet.Senders{Through: balancer, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	var took []time.Duration
	for deadline := time.Now().Add(length); len(took) < len(launches) || time.Now().Before(deadline); {
		launch := launches[len(took)%len(launches)]
		if launch.Role == "ingest" {
			balancer.TakeOut(launch.Name)
		}
		took = append(took, requireEnds(t, f.Process(launch.Name)))
		f.Start(launch).AwaitReady()
		if launch.Role == "ingest" {
			balancer.PutBack(launch.Name)
			balancer.AwaitReady(t, launch.Name)
		}
	}
	seen := load.Stop()
	if seen.Refused+seen.Unanswered > 0 {
		t.Errorf("senders noticed the restarts: %s", seen)
	}
	report := f.Ledger.Check(t)
	if report.Doubled+report.Resent > 0 {
		t.Errorf("%d records are there once more and %d calls came again, want none", report.Doubled, report.Resent)
	}
	t.Logf("figure: %d restarts, the longest end took %s; %s; %d records doubled, %d calls again", len(took),
		slices.Max(took).Round(time.Millisecond), seen, report.Doubled, report.Resent)
}

func requireEnds(t *testing.T, p *fleet.Process) time.Duration {
	t.Helper()
	took := p.End() // with exit code 0
	if took > drainTime {
		t.Errorf("%s took %s to end, want at most %s", p.Name, took, drainTime)
	}
	return took
}

// TestP23IngestEndsWithoutNoticeBehindABalancer gives the balancer nothing but /readyz to learn from that a process ends.
// Requests that were on their way meanwhile may find a closed door, and are posted again; none is answered 5xx.
func TestP23IngestEndsWithoutNoticeBehindABalancer(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	launches := startPairs(f)[:2]
	balancer := f.Balance(f.Process("ingest-1"), f.Process("ingest-2"))
	load := f.StartLoad(fleet.Senders{Through: balancer, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	restarts := 0
	for deadline := time.Now().Add(length); restarts < 2 || time.Now().Before(deadline); restarts++ {
		launch := launches[restarts%2]
		requireEnds(t, f.Process(launch.Name))
		f.Start(launch).AwaitReady()
		balancer.AwaitReady(t, launch.Name)
	}
	seen := load.Stop()
	if seen.Refused > 0 {
		t.Errorf("senders were refused: %s", seen)
	}
	f.Ledger.Check(t)
	t.Logf("figure: %d ends of ingest without notice; %s", restarts, seen)
}
