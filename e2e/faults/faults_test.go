// Package faults does to a whole pipeline under load what happens to pipelines, one fault in each test, and lets the
// ledger of rig/ledger judge what came of it. RELIABILITY.md lists the promises; P1 is kept by TestP01..., and so on.
// MILLRACE_FAULT_DURATION is how long a fault or its repetition lasts (10s), MILLRACE_FAULT_SEED repeats a run's choices.
package faults

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/engine"
	"github.com/millrace/millrace/rig/fleet"
)

// clickhouse is what the tests of the package share: it is set once, before them.
var clickhouse engine.Engine

func TestMain(m *testing.M) {
	engine.Main(m, func(started engine.Engine) { clickhouse = started })
}

// settings returns how long the fault lasts, and a source of choices.
func settings(t *testing.T) (time.Duration, *rand.Rand) {
	t.Helper()
	return fleet.FaultSettings(t, 10*time.Second)
}

// between returns a random length of time.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}
