package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig/fleet"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// bombMemory is what a processor may have at most, whatever triggers are in the catalog.
const bombMemory = 512 << 20

// bombs are conditions that are meant to take a process's memory or time. Some do not compile; the others stop as soon as
// their work is used up.
func bombs() []string {
	all := []string{
		`len(reduce(1..40, #acc + #acc, "aaaaaaaaaa")) > 1`,
		`len(replace(data.padding, "x", data.padding)) > 1`,
		`len(repeat("a", 1000000000)) > 1`,
		`len(join(map(1..30000, data.padding))) > 1`,
		`len(groupBy(1..500000, #)) > 1`,
		`data.padding matches "(a{1000}){1000}"`,
		strings.Repeat("(", 4090) + "x",
		`len(map(1..10000000, #)) > 1`,
		`let a = data.padding; let b = a + a + a + a; len(b + b) > 1`,
		`len(map(1..1000, map(1..1000, #))) > 1`,
		`let r = 1..1000; all(r, all(r, all(r, # > 0)))`,
		`let x = data.xs; all(x, all(x, all(x, true)))`,
		`all(data.xs, sum(data.xs) > 0)`,
		`all(data.xs, not (data.padding matches "(a|b)*c"))`,
		`all(data.xs, upper(data.padding) != "")`,
	}
	chain := `let x0 = "aaaaaaaaaa"; `
	for i := range 40 {
		chain += fmt.Sprintf("let x%d = x%d + x%d; ", i+1, i, i)
	}
	return append(all, chain+"len(x40) > 1")
}

// TestP20ExpressionBombsFailAlone has triggers with bombs beside the sound ones, for the same events.
func TestP20ExpressionBombsFailAlone(t *testing.T) {
	length, random := settings(t)
	always := func(int64) bool { return true }
	var triggers []ledger.Trigger
	for i, bomb := range bombs() {
		trigger := schemas.Trigger{Workflow: fmt.Sprintf("bomb-%d", i), Condition: bomb}
		triggers = append(triggers, ledger.Trigger{Trigger: trigger, Matches: always, Fails: always})
	}
	ones := strings.TrimSuffix(strings.Repeat("1,", 10_000), ",")
	f := fleet.New(t, clickhouse, fleet.Options{Triggers: triggers, Properties: `"xs":[` + ones + `]`})
	ingest := f.StartAll()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 30, Duplicates: 0.1, Seed: random.Uint64(), Padding: 30_000})
	f.Pause(length)
	seen := load.Stop()
	report := f.Ledger.Check(t)
	memory := f.Process("processor").PeakMemory()
	if memory > bombMemory {
		t.Errorf("the processor had %d MB, want at most %d", memory>>20, bombMemory>>20)
	}
	t.Logf("figure: %d bombs beside 2 sound triggers, %d events, %d runs of the sound ones; the processor had %d MB at most; %s",
		len(triggers), report.Events, report.Runs, memory>>20, seen)
}
