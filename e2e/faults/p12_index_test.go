//go:build linux

package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// The indexes of these tests are the smallest there are: every 2,796 events they write a file of 67 kB.
const (
	indexMemory = "1048576"
	spareBytes  = 16 << 10
)

// TestP12FullDiskOfTheDedupIndex lets the disk of a processor be full while its index has to be written.
func TestP12FullDiskOfTheDedupIndex(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Partitions: 1})
	d := newDisk(t, f.Dir("processor"), "8m")
	ingest := f.Start(fleet.Launch{Role: "ingest"})
	f.Start(fleet.Launch{Role: "processor", Flags: []string{"--processor-dedup-memory=" + indexMemory}})
	f.Start(fleet.Launch{Role: "dispatcher"})
	f.Start(fleet.Launch{Role: "eventlog"})
	awaitAll(f)
	d.fill(spareBytes)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	rig.Eventually(t, "the processor says that the disk is full", func() error { return complains(f, "no space left on device") })
	f.Pause(length)
	t.Log(load.Stop())
	d.free()
	report := f.Ledger.Check(t)
	t.Logf("figure: disk of the dedup index full for %s: %d events taken meanwhile and before, 0 lost, 0 doubled, all done %s after there was space again",
		length, report.Acknowledged, report.Finished.Round(100*time.Millisecond))
}

// awaitAll waits until every role for live traffic is ready.
func awaitAll(f *fleet.Fleet) {
	for _, name := range []string{"ingest", "processor", "dispatcher", "eventlog"} {
		f.Process(name).AwaitReady()
	}
}

// TestP12FullDiskOfTheDeliveredIndex lets the disk of a dispatcher be full while its index has to be written.
func TestP12FullDiskOfTheDeliveredIndex(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Partitions: 1})
	d := newDisk(t, f.Dir("dispatcher"), "8m")
	ingest := f.Start(fleet.Launch{Role: "ingest"})
	f.Start(fleet.Launch{Role: "processor"})
	f.Start(fleet.Launch{Role: "dispatcher", Flags: []string{"--dispatcher-delivered-memory=" + indexMemory}})
	f.Start(fleet.Launch{Role: "eventlog"})
	awaitAll(f)
	d.fill(spareBytes)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	rig.Eventually(t, "the dispatcher says that the disk is full", func() error { return complains(f, "no space left on device") })
	f.Pause(length)
	t.Log(load.Stop())
	d.free()
	report := f.Ledger.Check(t)
	t.Logf("figure: disk of the index of delivered runs full for %s: %d runs, 0 skipped, %d sent again, all done %s after there was space again",
		length, report.Runs, report.Resent, report.Finished.Round(100*time.Millisecond))
}

// TestP12ReadOnlyDiskOfTheIndexes starts processor and dispatcher on disks that cannot be written, which then can be.
func TestP12ReadOnlyDiskOfTheIndexes(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	disks := []*disk{newDisk(t, f.Dir("processor"), "8m"), newDisk(t, f.Dir("dispatcher"), "8m")}
	for _, d := range disks {
		d.setReadOnly(true)
	}
	for _, role := range []string{"ingest", "processor", "dispatcher", "eventlog"} {
		f.Start(fleet.Launch{Role: role})
	}
	f.Process("ingest").AwaitReady()
	load := f.StartLoad(fleet.Senders{To: []string{f.Process("ingest").URL}, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	for _, words := range []string{"the dedup index cannot be completed", "no run is dispatched yet"} {
		rig.Eventually(t, "both say that the disk is read-only", func() error { return complains(f, words) })
	}
	f.Pause(length)
	for _, name := range []string{"processor", "dispatcher"} {
		if err := f.Process(name).Ready(); err == nil {
			t.Errorf("%s says that it is ready, on a disk that it cannot write", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	t.Log(load.Stop())
	for _, d := range disks {
		d.setReadOnly(false)
	}
	report := f.Ledger.Check(t)
	t.Logf("figure: disks of both indexes read-only for %s: %s", length, fmt.Sprintf("%d events taken, 0 lost, all done %s after they could be written",
		report.Acknowledged, report.Finished.Round(100*time.Millisecond)))
}
