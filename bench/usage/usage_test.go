package usage_test

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/bench/usage"
)

func TestWhatAProcessTakesIsRead(t *testing.T) {
	before, err := usage.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if before.Resident < before.Anonymous || before.Anonymous < 1<<16 {
		t.Errorf("%+v", before)
	}
	for {
		now, err := usage.CPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now >= before.CPU+50*time.Millisecond { // asking is work, too
			break
		}
	}
	if busy, err := usage.Machine(); err != nil || busy < before.CPU {
		t.Errorf("the machine was busy for %s, this process for %s, %v", busy, before.CPU, err)
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
	if only, err := usage.OnlyChild(os.Getpid()); err != nil || only != child.Process.Pid {
		t.Errorf("the only one is %d, %v; it is %d", only, err, child.Process.Pid)
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
	if only, err := usage.OnlyChild(os.Getpid()); err == nil {
		t.Errorf("%d is the only one, where there is none", only)
	}
	if _, err := usage.CPU(child.Process.Pid); err == nil {
		t.Error("a process that has ended has taken something")
	}
}
