// Package upgrade runs two releases of Millrace side by side, as an upgrade does: one process after the other is replaced
// under load, forth and back, and the ledger of rig/ledger judges what came of it. `make upgrade-test` builds the other
// releases and says in MILLRACE_PREVIOUS_BINARY and MILLRACE_AHEAD_BINARY where they are.
package upgrade

import (
	"os"
	"strconv"
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

// order is that of docs/upgrades.md: who reads comes before who writes.
func order() []string {
	return []string{"eventlog", "api", "dispatcher-1", "dispatcher-2", "processor-1", "processor-2", "ingest-1", "ingest-2"}
}

func launch(name, binary string) fleet.Launch {
	role, _, _ := strings.Cut(name, "-")
	return fleet.Launch{Role: role, Name: name, Binary: binary}
}

// installation is a fleet of which each process may be of another release.
type installation struct {
	*fleet.Fleet
	t        *testing.T
	load     *fleet.Load
	balancer *fleet.Balancer
}

// install starts every role with one binary, and the load. Only that binary has made topics and tables.
func install(t *testing.T, binary string, roles []string) *installation {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MILLRACE_UPGRADE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat with MILLRACE_UPGRADE_SEED=%d", seed)
	i := &installation{Fleet: fleet.New(t, clickhouse, fleet.Options{Binary: binary}), t: t}
	for _, name := range roles {
		i.Start(launch(name, binary))
	}
	for _, name := range roles {
		i.Process(name).AwaitReady()
	}
	i.balancer = i.Balance(i.Process("ingest-1"), i.Process("ingest-2"))
	i.load = i.StartLoad(fleet.Senders{Through: i.balancer, PerSecond: 400, Duplicates: 0.2, Seed: seed})
	i.flows()
	return i
}

// replace ends a process, in good order, and starts it with another binary. Whoever posts is sent elsewhere meanwhile, as
// a load balancer does.
func (i *installation) replace(name, binary string) {
	i.t.Helper()
	isIngest := strings.HasPrefix(name, "ingest")
	if isIngest {
		i.balancer.TakeOut(name)
	}
	took := i.Process(name).End()
	i.Start(launch(name, binary)).AwaitReady()
	if isIngest {
		i.balancer.AwaitReady(i.t, name)
		i.balancer.PutBack(name)
	}
	i.flows()
	i.t.Logf("%s is replaced; it ended after %s", name, took.Round(time.Millisecond))
}

// flows waits until events that are acknowledged from now on start runs, so that nothing is replaced in a pipeline at rest.
func (i *installation) flows() {
	i.t.Helper()
	acknowledged, started := i.Ledger.Acknowledged(), i.Workflows.Started()
	rig.Eventually(i.t, "events are taken and runs started", func() error {
		if a, s := i.Ledger.Acknowledged(), i.Workflows.Started(); a < acknowledged+100 || s < started+100 {
			return notYet{a - acknowledged, s - started}
		}
		return nil
	})
}

// notYet says how far it is.
type notYet struct{ acknowledged, started int }

func (n notYet) Error() string {
	return strconv.Itoa(n.acknowledged) + " events, " + strconv.Itoa(n.started) + " runs"
}

// settle ends the load and has the ledger compare everything, and then the binary itself.
func (i *installation) settle(binary string) {
	i.t.Helper()
	summary := i.load.Stop()
	i.t.Log(summary)
	if summary.Refused > 0 || summary.Unanswered > 0 {
		i.t.Error("a sender saw the upgrade")
	}
	i.Ledger.Check(i.t)
	lines := strings.Split(strings.TrimSpace(i.RunWith(binary, append([]string{"eventlog", "verify", i.ClickHouseFlag()}, i.KafkaFlags()...)...)), "\n")
	i.t.Log("eventlog verify: ", lines[len(lines)-1])
}

// requireSilence expects no process to have said that it lost or skipped something.
func (i *installation) requireSilence() {
	i.t.Helper()
	for _, sign := range []string{"passed over", "is in the table quarantine", "skipping a"} {
		if strings.Contains(i.Log(), sign) {
			i.t.Errorf("a process said %q", sign)
		}
	}
}

// requireBinary returns a binary that `make upgrade-test` has built.
func requireBinary(t *testing.T, variable string) string {
	t.Helper()
	binary := os.Getenv(variable)
	if binary == "" {
		t.Fatalf("%s is not set: run `make upgrade-test`, which builds that release", variable)
	}
	return binary
}
