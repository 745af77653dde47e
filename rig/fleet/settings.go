package fleet

import (
	"cmp"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// FaultSettings returns how long a test's faults go on, which MILLRACE_FAULT_DURATION says, and a source of choices, whose
// seed is printed and which MILLRACE_FAULT_SEED repeats.
func FaultSettings(t testing.TB, usual time.Duration) (time.Duration, *rand.Rand) {
	t.Helper()
	length, err := time.ParseDuration(cmp.Or(os.Getenv("MILLRACE_FAULT_DURATION"), usual.String()))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("MILLRACE_FAULT_SEED"), strconv.FormatInt(time.Now().UnixNano(), 10)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("repeat with MILLRACE_FAULT_SEED=%d MILLRACE_FAULT_DURATION=%s", seed, length)
	return length, rand.New(rand.NewPCG(seed, 0))
}
