package main

import (
	"math"
	"testing"
)

func TestAnAnswerIsComparedWithWhatItMayTake(t *testing.T) {
	quick, slow := row("last 50 runs", 100_000_000, 12.5), row("last 50 runs", 1_500_000, 1001)
	if quick.What != "last 50 runs, 100M events" || !quick.IsMet() || quick.Theirs != 1000 {
		t.Errorf("%+v", quick)
	}
	if slow.What != "last 50 runs, 1.5M events" || slow.IsMet() {
		t.Errorf("%+v", slow)
	}
}

func TestNoDiskIsFilledUp(t *testing.T) {
	if err := hasRoom(t.TempDir(), 1); err != nil {
		t.Error(err)
	}
	if err := hasRoom(t.TempDir(), math.MaxUint64/bytesPerEvent); err == nil {
		t.Error("there is room for everything")
	}
}
