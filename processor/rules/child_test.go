package rules_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// childMemory is what a child that runs attacks may take, in bytes.
const childMemory = 512 << 20

// inChild runs the test in a process of its own that has little memory, and returns what it printed. In that process it
// calls do instead and returns false.
//
// The limit is RLIMIT_DATA: the kernel counts against it each private page that may be written to, and when it refuses
// one, the Go runtime ends the process, as it would where memory runs out. RLIMIT_AS would count the address space that
// the runtime reserves without using it, and GOMEMLIMIT stops nobody.
func inChild(t *testing.T, do func()) (output string, isParent bool, err error) {
	t.Helper()
	const name = "MILLRACE_TEST_CHILD"
	if os.Getenv(name) == t.Name() {
		limitMemory(t)
		do()
		return "", false, nil
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), name+"="+t.Name())
	out, err := child.CombinedOutput()
	return string(out), true, err
}

func limitMemory(t *testing.T) {
	t.Helper()
	limit := uint64(childMemory)
	if slowdown > 1 {
		limit += dataSize(t) // the race detector reserves terabytes, and counts for itself
	}
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
}

// dataSize returns what RLIMIT_DATA is compared with (proc(5)).
func dataSize(t *testing.T) uint64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmData:")
	kib, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// The suite of attacks proves nothing unless a process that takes too much does end.
func TestChildThatTakesMoreMemoryThanItMayEnds(t *testing.T) {
	output, isParent, err := inChild(t, func() {
		var taken [][]byte
		for range 10 {
			taken = append(taken, make([]byte, childMemory/8))
		}
		t.Log(len(taken))
	})
	// The runtime has several messages for it, by what it was about to reserve, and the race detector has its own.
	if isParent && (err == nil || !strings.Contains(output, "memory") && !strings.Contains(output, "allocate")) {
		t.Errorf("%v: %.2000s", err, output)
	}
}
