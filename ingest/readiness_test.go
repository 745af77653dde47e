package ingest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/rig"
)

func TestReadinessSaysWhetherAnEventWouldBeStored(t *testing.T) {
	w := newFaultyWorld(t, func(c *ingest.Config) { c.AckTimeout = time.Second })
	endpoint := w.endpoint("production", nil)
	if state := w.role.Readiness(t.Context()); !state.Ready {
		t.Fatalf("%+v", state)
	}
	_, resume := w.stall()
	requireUnavailable(t, w.post(endpoint, good))
	if state := w.role.Readiness(t.Context()); state.Ready || !strings.Contains(strings.Join(state.Waiting, " "), "acknowledge") {
		t.Errorf("Kafka has just not acknowledged an event: %+v", state)
	}
	resume()
	deadline := time.Now().Add(patience)
	for w.post(endpoint, good).status != 204 {
		if time.Now().After(deadline) {
			t.Fatal("it does not heal")
		}
	}
	if state := w.role.Readiness(t.Context()); !state.Ready {
		t.Errorf("Kafka takes events again: %+v", state)
	}
	w.broker.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if state := w.role.Readiness(ctx); state.Ready {
		t.Error("there is no broker")
	}
}

func TestRequestsAreCountedByTheirAnswer(t *testing.T) {
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", nil)
	w.post(endpoint, good)
	w.post(endpoint, good)
	w.post(endpoint, `{"type":"track"}`)
	w.post(w.url+"/v1/receive/unknown", good)
	for status, want := range map[string]float64{"204": 2, "422": 1, "404": 1, "503": 0} {
		if got := rig.Counted(t, w.role.Metrics(), "millrace_ingest_requests_total", status); got != want {
			t.Errorf("%s: counted %g, want %g", status, got, want)
		}
	}
	if got := rig.Counted(t, w.role.Metrics(), "millrace_ingest_event_bytes_total"); got != float64(2*len(good)) {
		t.Errorf("counted %g bytes, want %d", got, 2*len(good))
	}
}
