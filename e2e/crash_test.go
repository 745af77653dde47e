package e2e

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
)

// TestKillInTheMiddleOfSendingLosesNothingAnswered204 kills the process while events arrive, starts it again, sends all
// of them once more, and expects what two undisturbed sendings give.
func TestKillInTheMiddleOfSendingLosesNothingAnswered204(t *testing.T) {
	workflows := newReceiver(t)
	a := newApp(t, "--workflow-api-url="+workflows.URL)
	events := samples(t)
	sent := make(chan []sample, 1)
	go func() { // over and over, so that the kill meets it whenever it comes
		var acknowledged []sample
		for {
			answered, err := a.trySend(events, 300)
			acknowledged = append(acknowledged, answered...)
			if err != nil { // what was not answered is sent again below
				sent <- acknowledged
				return
			}
		}
	}()
	a.Eventually("a third of the events is in the log", func() error {
		counts, err := a.statuses()
		if total := counts["processed"] + counts[""]; err != nil || total < len(events)/3 {
			return fmt.Errorf("%d events: %w", total, err)
		}
		return nil
	})
	a.Kill()
	acknowledged := <-sent
	if len(acknowledged) == 0 {
		t.Fatal("no event was answered 204 before the kill")
	}
	a.Restart()

	a.Eventually("everything answered 204 is in the log", func() error { return a.logged(acknowledged) })
	a.send(t, events)
	a.Eventually("every message ID is processed once", func() error { return a.processedOnce(events) })
	runs := a.awaitDelivered(t, expected(t, events))
	workflows.requireExactly(t, runs)
}

// TestSecondStartKeepsAllData stops the pipeline in order and looks for everything after the next start.
func TestSecondStartKeepsAllData(t *testing.T) {
	a := newApp(t)
	events := samples(t)[:60]
	a.send(t, events)
	runs := a.awaitDelivered(t, expected(t, events))
	if took := a.Stop(); took > 5*time.Second {
		t.Errorf("stopping took %s, more than the 5 s that are promised", took)
	}
	a.Restart()
	a.Eventually("every message ID is processed once", func() error { return a.processedOnce(events) })
	if again := a.awaitDelivered(t, expected(t, events)); len(again) != len(runs) {
		t.Fatalf("%d runs after the restart, %d before", len(again), len(runs))
	}
	a.send(t, events)
	a.Eventually("the repeats are known as such", func() error {
		counts, err := a.statuses()
		if err != nil || counts["duplicate"] != len(events) {
			return fmt.Errorf("events by status: %v %w", counts, err)
		}
		return nil
	})
}

func (a *app) byMessageID() (map[string][]eventItem, error) {
	items, err := rig.All[eventItem](a.Pipeline, "/api/v1/events", url.Values{"source": {"app"}})
	found := map[string][]eventItem{}
	for _, item := range items {
		found[item.MessageID] = append(found[item.MessageID], item)
	}
	return found, err
}

func (a *app) logged(events []sample) error {
	found, err := a.byMessageID()
	if err != nil {
		return err
	}
	for _, event := range events {
		if len(found[event.messageID]) == 0 {
			return fmt.Errorf("message ID %s was answered 204 and is not in the log", event.messageID)
		}
	}
	return nil
}

// processedOnce expects that of the events with one message ID one is processed and the others are duplicates.
func (a *app) processedOnce(events []sample) error {
	found, err := a.byMessageID()
	if err != nil {
		return err
	}
	for _, event := range events {
		counts := map[string]int{}
		for _, item := range found[event.messageID] {
			counts[item.Status]++
		}
		if counts["processed"] != 1 || counts["processed"]+counts["duplicate"] != len(found[event.messageID]) {
			return fmt.Errorf("message ID %s: %v", event.messageID, counts)
		}
	}
	return nil
}
