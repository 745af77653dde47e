package usage_test

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/bench/usage"
)

func TestAProcessThatWorksTakesCPU(t *testing.T) {
	before, err := usage.CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for {
		now, err := usage.CPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now >= before+50*time.Millisecond { // asking is work, too
			return
		}
	}
}

func TestAChildIsFoundWhileItRuns(t *testing.T) {
	child := exec.Command("cat")
	lifeline, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	running, err := usage.Children(os.Getpid())
	if err != nil || !slices.Contains(running, child.Process.Pid) {
		t.Errorf("%d is not among %v: %v", child.Process.Pid, running, err)
	}
	if err := lifeline.Close(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	after, err := usage.Children(os.Getpid())
	if err != nil || slices.Contains(after, child.Process.Pid) {
		t.Errorf("%d is still among %v: %v", child.Process.Pid, after, err)
	}
	if _, err := usage.CPU(child.Process.Pid); err == nil {
		t.Error("a process that has ended has taken something")
	}
}
