package processor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

func TestWindowLongerThanEventsAreKeptIsNamedWithARemedyUntilItIsShortened(t *testing.T) {
	w := newWorld(t) // Kafka keeps events for 72 hours
	w.setWindow(72 * time.Hour)
	w.run(processor.AtLeastOnce)
	warnings := w.awaitWarnings(1)
	for _, part := range []string{"source app", "production", "72h0m0s", "raise retention.ms of the events topic to at least 73h0m0s or shorten the window"} {
		if !strings.Contains(warnings[0], part) {
			t.Errorf("%q does not say %q", warnings[0], part)
		}
	}
	w.setWindow(24 * time.Hour)
	w.awaitWarnings(0)
	w.setWindow(7 * 24 * time.Hour)
	if again := w.awaitWarnings(1); !strings.Contains(again[0], "168h0m0s") {
		t.Errorf("after it was made longer while running: %q", again)
	}
}

func (w *world) setWindow(window time.Duration) {
	w.t.Helper()
	if _, err := w.writer.UpdateSource(w.t.Context(), w.source.ID, func(s *schemas.Source) error {
		endpoint := s.Endpoints["production"]
		endpoint.DedupWindow = schemas.Window(window)
		s.Endpoints["production"] = endpoint
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// awaitWarnings waits until the processor says that many.
func (w *world) awaitWarnings(want int) []string {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for {
		warnings := w.processor.Readiness().Warnings
		if len(warnings) == want {
			return warnings
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d warnings, want %d: %q", len(warnings), want, warnings)
		}
		<-tick.C
	}
}
