package dispatcher

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// try makes a call that goes so, and reports whether it could be made.
func try(t *testing.T, g guard, how verdict) bool {
	t.Helper()
	p, wait, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if wait > 0 {
		return false
	}
	p.leave(how)
	return true
}

func TestGuardClosesAfterTenFailuresInARowAndOpensWithOneGoodAnswer(t *testing.T) {
	var log bytes.Buffer
	g := newGuard(16, 20*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)))
	for i := range failuresInARow {
		if !try(t, g, failed) {
			t.Fatalf("no call may be made after %d failures", i)
		}
	}
	if try(t, g, answered) {
		t.Fatal("a call may be made after ten failures in a row")
	}
	probe := requireProbe(t, g)
	if try(t, g, answered) {
		t.Error("a second call may be made while the first finds out")
	}
	probe.leave(failed)
	if try(t, g, answered) {
		t.Error("a call may be made after the probe failed")
	}
	requireProbe(t, g).leave(cutOff) // which says nothing, and must not leave the guard waiting for its answer
	requireProbe(t, g).leave(answered)
	for range 20 {
		if !try(t, g, answered) {
			t.Fatal("no call may be made after a good answer")
		}
	}
	if text := log.String(); strings.Count(text, "left alone") != 1 || strings.Count(text, "succeed again") != 1 {
		t.Errorf("log:\n%s", text)
	}
}

// requireProbe waits until a call may be made to find out.
func requireProbe(t *testing.T, g guard) pass {
	t.Helper()
	for range 100 {
		p, wait, err := g.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			return p
		}
		<-time.After(wait)
	}
	t.Fatal("no call may ever be made")
	return nil
}

func TestGuardClosesWhenHalfOfTheCallsFail(t *testing.T) {
	g := newGuard(16, time.Hour, slog.New(slog.DiscardHandler))
	made := 0
	for try(t, g, []verdict{answered, failed}[made%2]) {
		if made++; made > 2*breakerCalls {
			break
		}
	}
	if made != breakerCalls {
		t.Errorf("%d calls were made, want %d", made, breakerCalls)
	}
}

func TestGuardGivesUpWaitingForAPlaceWithItsContext(t *testing.T) {
	g := newGuard(1, time.Hour, slog.New(slog.DiscardHandler))
	first, _, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := g.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	first.leave(answered)
	if !try(t, g, answered) {
		t.Error("the place was not given back")
	}
}
