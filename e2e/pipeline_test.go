// Package e2e tests the whole pipeline as a user meets it: the binary in a process of its own, HTTP in, HTTP out.
package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/millrace/millrace/rig"
)

// eventItem and runItem are what the tests read of the API's lists.
type eventItem struct {
	ID        string `json:"id"`
	Event     string `json:"event"`
	MessageID string `json:"message_id"`
	UserID    string `json:"user_id"`
	Status    string `json:"status"`
}

type runItem struct {
	ID      string `json:"id"`
	EventID string `json:"event_id"`
	Status  string `json:"status"`
	input
}

// arrived is one run as the receiver shows it, whatever number of requests it took.
type arrived struct {
	Key string `json:"key"`
}

// app is a source with the oracle's triggers.
type app struct {
	*rig.Pipeline
	sourceID string
	endpoint string
}

func newApp(t *testing.T, flags ...string) *app {
	t.Helper()
	a := &app{Pipeline: rig.Start(t, flags...)}
	var source struct {
		ID        string `json:"id"`
		Endpoints map[string]struct {
			URL string `json:"url"`
		} `json:"endpoints"`
	}
	a.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]any{"name": "app", "description": "the sample app"}, &source)
	a.sourceID, a.endpoint = source.ID, source.Endpoints["production"].URL
	for _, trigger := range triggers() {
		trigger["environment"], trigger["source_id"] = "production", a.sourceID
		a.Call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, trigger, nil)
	}
	return a
}

// send posts the events over 8 connections, all of which must be answered 204.
func (a *app) send(t *testing.T, events []sample) {
	t.Helper()
	if _, err := a.trySend(events, rate.Inf); err != nil {
		t.Fatal(err)
	}
}

// trySend posts the events at so many a second and returns those that were answered 204, and the first failure.
func (a *app) trySend(events []sample, perSecond rate.Limit) ([]sample, error) {
	acknowledged := make([]bool, len(events))
	var group errgroup.Group
	group.SetLimit(8)
	pace := rate.NewLimiter(perSecond, 1)
	for i, event := range events {
		group.Go(func() error {
			if err := pace.Wait(context.Background()); err != nil {
				return err
			}
			answer, err := rig.Request(http.MethodPost, a.endpoint, event.body, nil)
			if err != nil {
				return err
			}
			acknowledged[i] = answer.Status == http.StatusNoContent
			if acknowledged[i] {
				return nil
			}
			return fmt.Errorf("posting %s: %d %s", event.messageID, answer.Status, answer.Body)
		})
	}
	err := group.Wait()
	var accepted []sample
	for i, event := range events {
		if acknowledged[i] {
			accepted = append(accepted, event)
		}
	}
	return accepted, err
}

// statuses counts the app's events by status.
func (a *app) statuses() (map[string]int, error) {
	events, err := rig.All[eventItem](a.Pipeline, "/api/v1/events", url.Values{"source": {"app"}, "environment": {"production"}})
	counts := map[string]int{}
	for _, event := range events {
		counts[event.Status]++
	}
	return counts, err
}

// runs returns the app's runs.
func (a *app) runs() ([]runItem, error) {
	return rig.All[runItem](a.Pipeline, "/api/v1/runs", url.Values{"source": {"app"}, "environment": {"production"}})
}

// awaitDelivered waits until the runs in the log are exactly those wanted, each delivered, and returns them.
func (a *app) awaitDelivered(t *testing.T, want []string) []runItem {
	t.Helper()
	var runs []runItem
	a.Eventually("every expected run is delivered", func() error {
		var err error
		if runs, err = a.runs(); err != nil {
			return err
		}
		var got []string
		for _, run := range runs {
			got = append(got, asJSON(t, run.input))
			if run.Status != "delivered" {
				return fmt.Errorf("run %s is %q", run.ID, run.Status)
			}
		}
		slices.Sort(got)
		return difference(got, want)
	})
	return runs
}

// requireReceived compares the runs with what the workflow API got, counted by idempotency key.
func (a *app) requireReceived(t *testing.T, runs []runItem) {
	t.Helper()
	var want []string
	for _, run := range runs {
		want = append(want, run.ID)
	}
	slices.Sort(want)
	a.Eventually("the receiver has every run once", func() error {
		var list struct {
			Items []arrived `json:"items"`
		}
		answer, err := rig.Request(http.MethodGet, a.ReceiverURL+"/runs?limit=10000", nil, nil)
		if err != nil {
			return err
		}
		if err := rig.Decode(answer, &list); err != nil {
			return err
		}
		var got []string
		for _, run := range list.Items {
			got = append(got, run.Key)
		}
		slices.Sort(got)
		return difference(got, want)
	})
}

func TestEverySampleEventSentTwiceIsProcessedOnce(t *testing.T) {
	a := newApp(t)
	events := samples(t)
	a.send(t, events)
	a.send(t, events)

	a.Eventually("every event is decided", func() error {
		counts, err := a.statuses()
		if err != nil {
			return err
		}
		if counts["processed"] != len(events) || counts["duplicate"] != len(events) || len(counts) != 2 {
			return fmt.Errorf("events by status: %v, want %d processed and %d duplicate", counts, len(events), len(events))
		}
		return nil
	})
	runs := a.awaitDelivered(t, expected(t, events))
	a.requireReceived(t, runs)
	requireInClickHouse(t, a, 2*len(events), len(runs))
	requireDetails(t, a, events[0])
}

// requireInClickHouse counts with ClickHouse itself, as an analyst would.
func requireInClickHouse(t *testing.T, a *app, events, runs int) {
	t.Helper()
	type counts struct {
		Events, Decisions, Runs, Deliveries int
	}
	got, err := rig.Query[counts](a.Pipeline, `SELECT
		(SELECT uniqExact(event_id) FROM millrace.events WHERE source_id = '`+a.sourceID+`') AS events,
		(SELECT uniqExact(event_id) FROM millrace.decisions WHERE source_id = '`+a.sourceID+`') AS decisions,
		(SELECT uniqExact(run_id) FROM millrace.runs WHERE source_id = '`+a.sourceID+`') AS runs,
		(SELECT uniqExact(run_id) FROM millrace.deliveries WHERE outcome = 'delivered') AS deliveries`)
	if err != nil {
		t.Fatal(err)
	}
	if want := (counts{events, events, runs, runs}); len(got) != 1 || got[0] != want {
		t.Fatalf("ClickHouse counts %+v, want %+v", got, want)
	}
}

// requireDetails looks one event up by its message ID: the first sending and its repeat, the raw body byte for byte.
func requireDetails(t *testing.T, a *app, event sample) {
	t.Helper()
	found, err := rig.All[eventItem](a.Pipeline, "/api/v1/events", url.Values{"source": {a.sourceID}, "message_id": {event.messageID}})
	if err != nil {
		t.Fatal(err)
	}
	byStatus := map[string]eventItem{}
	for _, item := range found {
		byStatus[item.Status] = item
	}
	first, repeat := byStatus["processed"], byStatus["duplicate"]
	if len(found) != 2 || first.Event != event.event || first.UserID != event.userID || repeat.ID == first.ID {
		t.Fatalf("events with message ID %s: %+v", event.messageID, found)
	}
	var detail struct {
		Body     string `json:"body"`
		Decision struct {
			DuplicateOf string `json:"duplicate_of"`
		} `json:"decision"`
	}
	a.Call(http.MethodGet, "/api/v1/events/"+repeat.ID, http.StatusOK, nil, &detail)
	if detail.Body != string(event.body) {
		t.Errorf("the log's body is not the posted one:\n got %s\nwant %s", detail.Body, event.body)
	}
	if detail.Decision.DuplicateOf != first.ID {
		t.Errorf("the repeat names %q as the first event, want %s", detail.Decision.DuplicateOf, first.ID)
	}
}
