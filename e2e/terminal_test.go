package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// cli runs a command line that must succeed, and returns what it wrote.
func (s *shop) cli(args ...string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), rig.Binary(s.t), append(args, "--api-url="+s.APIURL)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("millrace %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// follower is a running `millrace events --follow`.
type follower struct {
	*shop
	out, err rig.Buffer
	process  *exec.Cmd
}

func (s *shop) follow(args ...string) *follower {
	s.t.Helper()
	f := &follower{shop: s}
	f.process = exec.CommandContext(s.t.Context(), rig.Binary(s.t), append(args, "--api-url="+s.APIURL)...)
	f.process.Stdout, f.process.Stderr = &f.out, &f.err
	if err := f.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	return f
}

// shows waits until each event was shown with its status, and none but once so.
func (f *follower) shows(want map[string]string) {
	f.t.Helper()
	f.Eventually("each event is shown with its status", func() error {
		got := map[string]string{}
		for line := range strings.Lines(f.out.String()) {
			var e struct{ ID, Status string }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			if got[e.ID] != "" {
				f.t.Fatalf("%s was shown twice in\n%s", e.ID, f.out.String())
			}
			got[e.ID] = e.Status
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("got %v, want %v; it said %s", got, want, f.err.String())
		}
		return nil
	})
}

func TestEventsAreFollowedFromTheTerminalThroughACrash(t *testing.T) {
	s := newShop(t)
	s.create(object{"event": "Signed Up", "workflow": "welcome"})
	f := s.follow("events", "--follow", "--source=shop", "--since=1h", "-o", "json")
	want := map[string]string{}
	want[s.post(`{"type":"track","event":"Signed Up","userId":"ada","messageId":"m-1"}`)] = "processed"
	want[s.post(`{"type":"track","event":"Signed Up","userId":"ada","messageId":"m-1"}`)] = "duplicate"
	want[s.post(`{"type":"track","event":"Looked Around","userId":"ada"}`)] = "no_trigger"
	f.shows(want)

	s.Kill()
	s.Restart()
	want[s.post(`{"type":"track","event":"Signed Up","userId":"bob"}`)] = "processed"
	f.shows(want)
	if err := f.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := f.process.Wait(); err != nil {
		t.Errorf("ctrl-C ended it with %v: %s", err, f.err.String())
	}
}

func TestTheTerminalTellsWhatBecameOfAnEvent(t *testing.T) {
	s := newShop(t)
	s.create(object{"event": "Order Completed", "workflow": "big-order", "condition": "data.total > 100"})
	small := s.post(`{"type":"track","event":"Order Completed","userId":"ada","properties":{"total":7}}`)
	large := s.post(`{"type":"track","event":"Order Completed","userId":"ada","properties":{"total":700,"note":"Grüße"}}`)
	runID := ""
	s.Eventually("its run is delivered", func() error {
		runs, err := rig.All[struct{ ID, Status string }](s.Pipeline, "/api/v1/runs", map[string][]string{"event_id": {large}})
		if err != nil || len(runs) != 1 || runs[0].Status != "delivered" {
			return fmt.Errorf("got %+v: %w", runs, err)
		}
		runID = runs[0].ID
		return nil
	})
	f := func(args []string, texts ...string) {
		t.Helper()
		out := s.cli(args...)
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("millrace %s: no %q in\n%s", strings.Join(args, " "), text, out)
			}
		}
	}
	f([]string{"events", "--source=shop", "--where=properties.total>100", "-q", "grüße", "--since=1h"}, "RECEIVED", large)
	if out := s.cli("events", "--source=shop", "--where=properties.total>100"); strings.Contains(out, small) {
		t.Errorf("--where lets too much through:\n%s", out)
	}
	byID := url.Values{"id": slices.Repeat([]string{large, small}, 250)}
	var found struct{ Items []eventItem }
	if s.Call(http.MethodGet, "/api/v1/events?"+byID.Encode(), http.StatusOK, nil, &found); len(found.Items) != 2 {
		t.Errorf("500 IDs find %d events, want 2", len(found.Items))
	}
	f([]string{"events", "get", large}, "received", "matched", "delivered", runID, `"note":"Grüße"`)
	f([]string{"runs", "--event-id=" + large}, runID, "big-order", "ada")
	f([]string{"runs", "get", runID}, "delivered", `{"total":700,"note":"Grüße"}`)
	f([]string{"stats", "--source=shop"}, "2 events from", "Order Completed", "big-order")
	if answer, err := rig.Request(http.MethodPost, s.endpoint, []byte(`{"type":"identify"}`), nil); err != nil || answer.Status != http.StatusUnprocessableEntity {
		t.Fatalf("%+v, %v", answer, err)
	}
	s.Eventually("the refusal is shown", func() error {
		if out := s.cli("rejections", "--source=shop"); !strings.Contains(out, "unsupported_type") {
			return fmt.Errorf("got %s", out)
		}
		return nil
	})
}
