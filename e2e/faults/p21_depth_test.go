package faults

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/rig/fleet"
	"github.com/millrace/millrace/rig/ledger"
	"github.com/millrace/millrace/schemas"
)

// nested is an event whose body is so many levels deep, with the member open and close around each.
func nested(f *fleet.Fleet, number int64, depth int, opening, closing string) string {
	inner := depth - 2 // the body is one level, its properties are one
	value := strings.Repeat(opening, inner) + strings.Repeat(closing, inner)
	return string(bytes.Replace(f.EventBody(number, number, 0), []byte(`"padding":""`), []byte(`"padding":`+value), 1))
}

// patterns are conditions that take a backtracking engine longer than anybody can wait.
func patterns() []ledger.Trigger {
	yes, no := func(int64) bool { return true }, func(int64) bool { return false }
	trigger := func(workflow, condition string, matches func(int64) bool) ledger.Trigger {
		return ledger.Trigger{Trigger: schemas.Trigger{Workflow: workflow, Condition: condition}, Matches: matches}
	}
	return []ledger.Trigger{
		trigger("nested", `data.text matches "^(x+)+$"`, yes),
		trigger("nested-then-failing", `data.text matches "^(x+)+y$"`, no),
		trigger("overlapping", `data.text matches "^(x|xx)+y$"`, no),
		trigger("optional", `data.text matches "^(x?){20}x{20}$"`, no),
	}
}

// TestP21PatternsAndDepthTakeLinearTime has patterns that explode elsewhere in the conditions, on long texts, and bodies as
// deep as they may be and far deeper. A trigger that took long again and again would be switched off and fail, which the
// ledger would see.
func TestP21PatternsAndDepthTakeLinearTime(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Triggers: patterns(), Properties: `"text":"` + strings.Repeat("x", 10_000) + `"`})
	ingest := f.StartAll()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 50, Duplicates: 0.1, Seed: random.Uint64()})
	attacker := newAttacker(f, ingest)
	var answers tally
	var mu sync.Mutex // guards next
	next := int64(1_000_000)
	for _, depth := range []int{schemas.MaxDepth, schemas.MaxDepth + 1, 1000, 80_000} {
		for _, kind := range []struct{ name, open, close string }{{"lists", "[", "]"}, {"objects", `{"a":`, "}"}} {
			repeat(t, 4, length/8, func() error {
				mu.Lock()
				next++
				number := next
				mu.Unlock()
				opening, closing := kind.open, kind.close
				body := nested(f, number, depth, opening, closing)
				if kind.name == "objects" {
					body = strings.Replace(body, `"a":}`, `"a":1}`, 1)
				}
				status, err := attacker.send(strings.NewReader(attacker.sized(body)))
				if status == http.StatusNoContent {
					f.Ledger.Acknowledge(number)
				}
				if depth <= schemas.MaxDepth {
					answers.note(kind.name+" at the limit", status)
				} else {
					answers.note(kind.name+" beyond", status)
				}
				return err
			})
		}
	}
	for _, kind := range []string{"lists", "objects"} {
		answers.require(t, kind+" at the limit", http.StatusNoContent)
		answers.require(t, kind+" beyond", http.StatusBadRequest)
	}
	seen := load.Stop()
	report := f.Ledger.Check(t)
	t.Logf("figure: %d events through %d patterns, %d runs; answers to deep bodies %v; %s", report.Events, len(patterns()), report.Runs, answers.counts, seen)
}
