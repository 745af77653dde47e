package dispatcher_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

func TestDeadRunsOfAWorkflowAreSentAgainWithTheirIDsAndBytes(t *testing.T) {
	var mended atomic.Bool
	p := newPipeline(t, 2, func(c call) reply {
		if strings.Contains(c.path, "broken") && !mended.Load() {
			return reply{status: 404, body: "no such workflow"}
		}
		return ok()
	})
	old := newRunOf("broken", "r0")
	old.CreatedAt = time.Now().Add(-19 * time.Hour)
	p.write(0, "person-0", old)
	for i := range 5 {
		p.write(1, fmt.Sprint("person-", i+1), newRunOf("broken", fmt.Sprint("r", i+1)))
	}
	p.write(0, "x", newRunOf("fine", "x"))
	config := quick()
	config.MaxAge = 19*time.Hour + 2*time.Second
	p.run(config)
	p.waitCommitted(0, 2)
	p.waitCommitted(1, 5)

	var letters []schemas.DeadLetter
	err := dispatcher.EachDeadLetter(t.Context(), p.kafka, func(letter schemas.DeadLetter) error {
		if letter.Run.Workflow == "broken" {
			letters = append(letters, letter)
		}
		return nil
	})
	if err != nil || len(letters) != 6 {
		t.Fatalf("%d dead letters, %v", len(letters), err)
	}
	p.eventually("the old run is too old", func() bool { return time.Since(old.CreatedAt) > config.MaxAge })
	mended.Store(true)
	for range 2 { // to ask twice sends once
		if err := dispatcher.Resend(t.Context(), p.kafka, letters...); err != nil {
			t.Fatal(err)
		}
		p.eventually("all are delivered", func() bool {
			delivered := 0
			for i := range 6 {
				if p.delivered(fmt.Sprint("r", i)) {
					delivered++
				}
			}
			return delivered == 6
		})
	}
	p.eventually("all is committed", func() bool { at := p.committed(); return at[0]+at[1] == 7+12 })
	for i := range 6 {
		calls := p.api.calls(fmt.Sprint("r", i))
		if len(calls) != 2 || calls[0].body != calls[1].body {
			t.Errorf("r%d was sent %d times: %+v", i, len(calls), calls)
		}
	}
}

func TestReadingDeadLettersEndsWithThemOrWithTheVisitorsError(t *testing.T) {
	p := newPipeline(t, 3, func(call) reply { return reply{status: 400} })
	visited := 0
	visit := func(schemas.DeadLetter) error { visited++; return nil }
	if err := dispatcher.EachDeadLetter(t.Context(), p.kafka, visit); err != nil || visited != 0 {
		t.Errorf("%d dead letters in an empty topic, %v", visited, err)
	}
	p.write(0, "a", newRun("r1"))
	p.write(0, "b", newRun("r2"))
	p.run(quick())
	p.waitCommitted(0, 2)
	stop := errors.New("enough")
	if err := dispatcher.EachDeadLetter(t.Context(), p.kafka, func(schemas.DeadLetter) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}
