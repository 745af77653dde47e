// Package faults does to a whole pipeline under load what happens to pipelines, one fault in each test, and lets the
// ledger of rig/ledger judge what came of it. RELIABILITY.md lists the promises; P1 is kept by TestP01..., and so on.
// MILLRACE_FAULT_DURATION is how long a fault or its repetition lasts (10s), MILLRACE_FAULT_SEED repeats a run's choices.
package faults

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/engine"
)

// clickhouse is what the tests of the package share: it is set once, before them.
var clickhouse engine.Engine

func TestMain(m *testing.M) {
	engine.Main(m, func(started engine.Engine) { clickhouse = started })
}

// settings returns how long the fault lasts, and a source of choices.
func settings(t *testing.T) (time.Duration, *rand.Rand) {
	t.Helper()
	length, seed := 10*time.Second, uint64(time.Now().UnixNano())
	var err error
	if text := os.Getenv("MILLRACE_FAULT_DURATION"); text != "" {
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("MILLRACE_FAULT_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat with MILLRACE_FAULT_SEED=%d MILLRACE_FAULT_DURATION=%s", seed, length)
	return length, rand.New(rand.NewPCG(seed, 0))
}

// between returns a random length of time.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}
