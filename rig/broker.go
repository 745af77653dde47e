package rig

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// BounceBroker kills the broker, as a crash does, starts it again on its data, and reports true, where the broker is one
// that can be: that of `make kafka-up`. Every test on that broker feels it.
func BounceBroker(t testing.TB) bool { return broker(t, "bounce") }

// KillBroker does the first half of it: who kills it starts it again.
func KillBroker(t testing.TB) bool { return broker(t, "kill") }

// StartBroker does the second half. A broker that runs goes on.
func StartBroker(t testing.TB) bool { return broker(t, "start") }

func broker(t testing.TB, command string) bool {
	t.Helper()
	if Backend(os.Getenv("MILLRACE_TEST_ON")) != Apache {
		return false
	}
	out, err := exec.Command(filepath.Join(Root(t), "deploy", "kafka", "kafka"), command).CombinedOutput()
	if err != nil {
		t.Errorf("%s of the broker: %v\n%s", command, err, out)
	}
	return true
}

// LinkedBroker returns two addresses, where the broker is one that has them: where it listens, and where it tells its
// clients to go instead, so that a test can stand in between.
func LinkedBroker(t testing.TB) (broker, link string, isThere bool) {
	t.Helper()
	if Backend(os.Getenv("MILLRACE_TEST_ON")) != Apache {
		return "", "", false
	}
	port, err := strconv.Atoi(cmp.Or(os.Getenv("KAFKA_PORT"), "19092"))
	if err != nil {
		t.Fatalf("KAFKA_PORT: %v", err)
	}
	return fmt.Sprint("127.0.0.1:", port+3), fmt.Sprint("127.0.0.1:", port+4), true
}

// IsCrashSafe reports whether the broker keeps its transactions over a crash, so that exactly_once means something.
func IsCrashSafe() bool {
	backend := Backend(os.Getenv("MILLRACE_TEST_ON"))
	return backend != "" && backend != Embedded
}
