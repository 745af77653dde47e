package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BounceBroker kills the broker, as a crash does, starts it again on its data, and reports true, where the broker is one
// that can be: that of `make kafka-up`. Every test on that broker feels it.
func BounceBroker(t testing.TB) bool {
	t.Helper()
	if Backend(os.Getenv("MILLRACE_TEST_ON")) != Apache {
		return false
	}
	command := exec.Command(filepath.Join(Root(t), "deploy", "kafka", "kafka"), "bounce")
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("bouncing the broker: %v\n%s", err, out)
	}
	return true
}

// IsCrashSafe reports whether the broker keeps its transactions over a crash, so that exactly_once means something.
func IsCrashSafe() bool {
	backend := Backend(os.Getenv("MILLRACE_TEST_ON"))
	return backend != "" && backend != Embedded
}
