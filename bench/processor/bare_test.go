package main

import (
	"context"
	"os"
	"testing"
	"time"
)

// TestMain is the bare loop where the program under test starts itself as that.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == bareArgument {
		exitOn(untilSignal(func(ctx context.Context) error { return runBare(ctx, os.Args[2:]) }))
		return
	}
	os.Exit(m.Run())
}

// TestTheBareLoopCopiesEachEventOnce runs it twice over the same events; each run's output is checked by what is under test.
func TestTheBareLoopCopiesEachEventOnce(t *testing.T) {
	err := run(t.Context(), options{
		isEmbedded: true, only: bareLoop, samples: "../../schemas/testdata/track-events.ndjson",
		events: 3 * bareRecords, rounds: 2, limit: time.Minute,
	})
	if err != nil {
		t.Error(err)
	}
}
