//go:build linux

package faults

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/fleet"
)

// TestP12FullDiskOfTheEmbeddedKafka lets the disk of the broker of `millrace dev` be full. Ingest must answer 503, and
// everything that it answered 204 must be there in the end, also after the broker was started again.
func TestP12FullDiskOfTheEmbeddedKafka(t *testing.T) {
	length, random := settings(t)
	dir := t.TempDir()
	d := newDisk(t, filepath.Join(dir, "kafka"), "64m")
	broker := startBroker(t, dir, rig.FreeAddr(t))
	f := fleet.New(t, clickhouse, fleet.Options{Broker: broker.Brokers[0]})
	ingest := f.StartAll()
	d.fill(256 << 10)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	rig.Eventually(t, "events are refused", func() error { return startsAtLeast(func() int { return load.Summary().Refused }, 1) })
	f.Pause(length)
	full := load.Summary()
	d.free()
	before := f.Ledger.Acknowledged()
	rig.Eventually(t, "events are taken again", func() error { return startsAtLeast(f.Ledger.Acknowledged, before+100) })
	t.Log(load.Stop())
	f.Ledger.Settle(t)
	broker.Close()
	startBroker(t, dir, broker.Brokers[0])
	report := f.Ledger.Check(t)
	t.Logf("figure: disk of the embedded Kafka full for %s: %d refusals and %d requests without an answer, %d events taken before and after, 0 lost, also after a restart; %d calls came again",
		length, full.Refused, full.Unanswered, report.Acknowledged, report.Resent)
}

// startBroker starts the broker of `millrace dev` on its files.
func startBroker(t *testing.T, dir, address string) *embedded.Embedded {
	t.Helper()
	started, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Kafka: &embedded.KafkaConfig{Listen: address}}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.Close)
	return started
}

// TestP12FullDiskOfTheEmbeddedClickHouse lets the disk of ClickHouse be full. Events go on being taken and runs being
// started meanwhile; once there is space, everything is in its tables.
func TestP12FullDiskOfTheEmbeddedClickHouse(t *testing.T) {
	length, random := settings(t)
	dir := t.TempDir()
	d := newDisk(t, dir, "256m")
	own, err := engine.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	f := fleet.New(t, own, fleet.Options{})
	ingest := f.StartAll()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	rig.Eventually(t, "events are in ClickHouse", func() error { return storedAtLeast(f, 100) })
	d.fill(64 << 10)
	rig.Eventually(t, "the event log notices", func() error { return complains(f, "event log cannot write") })
	acknowledged, started := f.Ledger.Acknowledged(), f.Workflows.Started()
	f.Pause(length)
	rig.Eventually(t, "runs are started meanwhile", func() error { return startsAtLeast(f.Workflows.Started, started+1) })
	t.Log(load.Stop())
	meanwhile := f.Ledger.Acknowledged() - acknowledged
	d.free()
	report := f.Ledger.Check(t)
	t.Logf("figure: disk of the embedded ClickHouse full for %s: %d events taken meanwhile, %d rows compared, 0 lost, 0 doubled, all done %s after there was space again",
		length, meanwhile, report.Rows, report.Finished.Round(100*time.Millisecond))
}
