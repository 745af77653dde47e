package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/fleet"
)

// TestP13ClickHouseAwayLosesNothing takes ClickHouse away under load. Events go on being taken and runs being started
// meanwhile; when it is back, everything is in its tables, once.
func TestP13ClickHouseAwayLosesNothing(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := f.StartAll()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	rig.Eventually(t, "events are in ClickHouse", func() error { return storedAtLeast(f, 500) })
	f.ClickHouse.Cut()
	rig.Eventually(t, "the event log notices", func() error { return complains(f, "event log cannot write") })
	acknowledged, started := f.Ledger.Acknowledged(), f.Workflows.Started()
	began := time.Now()
	f.Pause(length)
	rig.Eventually(t, "runs are started without ClickHouse", func() error {
		if now := f.Workflows.Started(); now == started {
			return fmt.Errorf("%d, as many as before", now)
		}
		return nil
	})
	meanwhile, away := f.Ledger.Acknowledged()-acknowledged, time.Since(began)
	t.Log(load.Stop())
	if meanwhile == 0 {
		t.Error("no event was taken while ClickHouse was away")
	}
	before, err := stored(f)
	if err != nil {
		t.Fatal(err)
	}
	f.ClickHouse.Restore()
	began = time.Now()
	rig.Eventually(t, "the event log has caught up", func() error { return storedAtLeast(f, float64(f.Ledger.Acknowledged())) })
	took := time.Since(began)
	after, err := stored(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Ledger.Check(t)
	live, caught := float64(meanwhile)/away.Seconds(), (after-before)/took.Seconds()
	t.Logf("figure: ClickHouse away for %s, %d events taken meanwhile (%.0f/s), %.0f of them written %s after it was back (%.0f/s, %.1f times the live rate), 0 lost, 0 doubled",
		away.Round(time.Second), meanwhile, live, after-before, took.Round(100*time.Millisecond), caught, caught/live)
}

// TestP13EngineKilledDuringInsertsLeavesEachRecordOnce kills ClickHouse's process again and again while rows come in.
func TestP13EngineKilledDuringInsertsLeavesEachRecordOnce(t *testing.T) {
	length, random := settings(t)
	dir := t.TempDir()
	own, err := engine.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close() })
	f := fleet.New(t, own, fleet.Options{})
	ingest := f.StartAll()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	kills := 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); kills++ {
		f.Pause(between(random, 0, 2*time.Second))
		if err := own.Kill(); err != nil {
			t.Fatal(err)
		}
		if kills%4 == 3 { // more often than a supervisor bears it
			own.Close()
			if own, err = engine.Start(dir); err != nil {
				t.Fatal(err)
			}
			f.ClickHouse.Redirect(own.DialContext)
		}
		answers(t, f)
	}
	t.Log(load.Stop())
	report := f.Ledger.Check(t)
	t.Logf("figure: %d kills of the engine, of which %d interrupted a table's insert for the first time, %d rows compared, 0 lost, 0 doubled",
		kills, strings.Count(f.Log(), "event log cannot write"), report.Rows)
}

// answers waits until ClickHouse answers again, so that the next kill meets an insert.
func answers(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	before, err := f.Process("eventlog").Metric("millrace_eventlog_rows_total")
	if err != nil {
		t.Fatal(err)
	}
	rig.Eventually(t, "rows are written again", func() error {
		now, err := f.Process("eventlog").Metric("millrace_eventlog_rows_total")
		if err == nil && now <= before {
			err = fmt.Errorf("%.0f rows, as many as before", now)
		}
		return err
	})
}

// stored returns how many rows of events ClickHouse has acknowledged.
func stored(f *fleet.Fleet) (float64, error) {
	return f.Process("eventlog").Metric("millrace_eventlog_rows_total", "table", "events")
}

func storedAtLeast(f *fleet.Fleet, least float64) error {
	rows, err := stored(f)
	if err == nil && rows < least {
		err = fmt.Errorf("%.0f rows of %.0f", rows, least)
	}
	return err
}

// complains reports an error until a process has printed the words.
func complains(f *fleet.Fleet, words string) error {
	if !strings.Contains(f.Log(), words) {
		return fmt.Errorf("nobody says %q", words)
	}
	return nil
}
