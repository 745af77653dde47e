// Package netcut runs Millrace on two hosts, which are network namespaces of one machine, and cuts the network between
// them: nothing is refused and nothing ends, packets just no longer arrive. `make netcut` runs it, on Apache Kafka.
// MILLRACE_FAULT_DURATION is how long cuts go on (30s), MILLRACE_FAULT_SEED repeats a run's choices.
package netcut

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/fleet"
)

// clickhouse is what the tests of the package share: it is set once, before them.
var clickhouse engine.Engine

func TestMain(m *testing.M) {
	engine.Main(m, func(started engine.Engine) { clickhouse = started })
}

// newWorld returns a fleet on this host, with Kafka, and the network to the other.
func newWorld(t *testing.T) (*fleet.Fleet, network) {
	t.Helper()
	n := newNetwork(t)
	t.Setenv("KAFKA_HOST", hereAddress)
	t.Setenv("MILLRACE_TEST_ON", string(rig.Apache))
	kafka(t, "restart")
	t.Cleanup(func() { kafka(t, "down") })
	return fleet.New(t, clickhouse, fleet.Options{}), n
}

func kafka(t *testing.T, command string) {
	t.Helper()
	if out, err := exec.Command(filepath.Join(rig.Root(t), "deploy", "kafka", "kafka"), command).CombinedOutput(); err != nil {
		t.Fatalf("kafka %s: %v\n%s", command, err, out)
	}
}

// onOtherHost is how a role is started there.
func onOtherHost(role, name string) fleet.Launch {
	return fleet.Launch{Role: role, Name: name, Host: thereAddress, Within: []string{"ip", "netns", "exec", there}}
}

// TestProcessorCutOffFromKafkaIsFencedAndComesBack cuts one of two processors off, for longer than its session lasts, then
// for times of all lengths. The other takes its partitions over while it still holds an open transaction and believes that
// they are its own.
func TestProcessorCutOffFromKafkaIsFencedAndComesBack(t *testing.T) {
	length, random := fleet.FaultSettings(t, 30*time.Second)
	f, n := newWorld(t)
	ingest := f.StartAll()
	far := f.Start(onOtherHost("processor", "far"))
	far.AwaitReady()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	rig.Eventually(t, "the far processor decides events", func() error { return hasDecided(far) })

	n.cut()
	f.Pause(2 * fleet.SessionTime)
	took := f.Ledger.SettleSoFar(t) // the near one decides everything, the partitions of the other included
	n.heal()
	rig.Eventually(t, "the far processor has been told that it is out, and is back", func() error {
		if !strings.Contains(far.Log(), "processing stopped, starting anew") {
			return errors.New("it believes itself in")
		}
		return far.Ready()
	})
	cuts := 1
	for deadline := time.Now().Add(length); time.Now().Before(deadline); cuts++ {
		f.Pause(time.Duration(random.Int64N(int64(2 * time.Second))))
		n.cut()
		f.Pause(time.Duration(random.Int64N(int64(2 * fleet.SessionTime))))
		n.heal()
	}
	rig.Eventually(t, "the far processor is back", far.Ready)
	t.Logf("figure: %d cuts; all that was accepted until %s into the first cut had its runs %s later; %s",
		cuts, 2*fleet.SessionTime, took.Round(time.Millisecond), load.Stop())
	f.Ledger.Check(t)
}

// hasDecided reports whether a processor has partitions and decides what is in them.
func hasDecided(processor *fleet.Process) error {
	decided, err := processor.Metric("millrace_processor_events_total")
	if err == nil && decided == 0 {
		err = errors.New("it has decided nothing yet")
	}
	return err
}

// TestIngestCutOffFromKafkaRefusesAndComesBack cuts one of two ingest processes off: what it answered 204 is stored, what it
// cannot store it refuses, and senders that come again find the other.
func TestIngestCutOffFromKafkaRefusesAndComesBack(t *testing.T) {
	length, random := fleet.FaultSettings(t, 30*time.Second)
	f, n := newWorld(t)
	near := f.StartAll()
	// Senders reach the far ingest through a process there: what is cut is its way to Kafka.
	far := f.Start(onOtherHost("ingest", "far"))
	far.AwaitReady()
	load := f.StartLoad(fleet.Senders{To: []string{near.URL, far.URL}, PerSecond: 1000, Duplicates: 0.1, Seed: random.Uint64()})
	cuts := 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); cuts++ {
		f.Pause(time.Duration(random.Int64N(int64(2 * time.Second))))
		n.cut()
		f.Pause(time.Duration(random.Int64N(int64(10 * time.Second))))
		n.heal()
	}
	rig.Eventually(t, "the far ingest is back", far.Ready)
	t.Logf("figure: %d cuts; %s", cuts, load.Stop())
	f.Ledger.Check(t)
}
