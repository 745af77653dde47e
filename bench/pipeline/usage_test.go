package main

import (
	"os"
	"os/exec"
	"testing"
)

func TestWhatAProcessTakesIsRead(t *testing.T) {
	before, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if before.resident < before.anonymous || before.anonymous < 1<<20 {
		t.Errorf("%+v", before)
	}
	for { // until the clock has ticked
		after, err := usageOf(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after.cpu > before.cpu {
			break
		}
	}
	if busy, err := busyMachine(); err != nil || busy < before.cpu {
		t.Errorf("the machine was busy for %s, this process for %s, %v", busy, before.cpu, err)
	}
}

func TestTheOnlyChildIsFound(t *testing.T) {
	child := exec.Command("cat")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	found, err := onlyChild(os.Getpid())
	if err != nil || found != child.Process.Pid {
		t.Errorf("found %d, %v; it is %d", found, err, child.Process.Pid)
	}
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	if found, err := onlyChild(os.Getpid()); err == nil {
		t.Errorf("found %d, where there is none", found)
	}
}
