package main

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

func newEvents(t *testing.T, only string) *events {
	t.Helper()
	e, err := readEvents(settings{events: "../../schemas/testdata/track-events.ndjson", variants: 3, only: only})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExpectedRunsAreThoseOfTheTriggersEvents(t *testing.T) {
	e := newEvents(t, "Order Completed")
	const events = 1800
	want := 0
	for n := range events {
		if bytes.Contains(e.Append(nil, n, time.Now(), 1), []byte(`"event":"Order Completed"`)) {
			want += 2
		}
	}
	if _, got := e.expected(0, events, 1, 2); got != want || want == 0 {
		t.Errorf("%d runs are expected, where there are %d", got, want)
	}
}

func TestARunTellsWhenItsEventWasDue(t *testing.T) {
	e := newEvents(t, "")
	began := time.Now().Truncate(time.Microsecond)
	text := e.Append(nil, 5, began, 10)
	came, err := readDelivery([]byte("/v1/workflows/workflow-3/trigger"), fmt.Appendf(nil, `{"recipients":["u"],"data":%s}`, text))
	if err != nil || came.due != began.Add(500*time.Millisecond).UnixMicro() || came.workflow != '3' {
		t.Errorf("%+v, %v", came, err)
	}
	if _, err := readDelivery([]byte("/v1/workflows/workflow-3/trigger"), []byte(`{}`)); err == nil {
		t.Error("a body without a message ID is taken")
	}
}
