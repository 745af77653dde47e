package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// dryRun is what the tests read of one.
type dryRun struct {
	Read, Matched, Created, Existed int
	Errors                          map[string]int
	Samples                         []struct {
		EventID string `json:"event_id"`
		RunID   string `json:"run_id"`
		Request string
	}
	Diff []struct {
		TriggerID    string `json:"trigger_id"`
		NewlyMatched int    `json:"newly_matched"`
		Same         int
		Changed      int
		FailedThen   int `json:"failed_then"`
	}
}

// millrace runs a command line of the shop, which must succeed, and returns what it wrote to both outputs.
func (s *shop) millrace(args ...string) string {
	s.t.Helper()
	var out bytes.Buffer
	command := exec.CommandContext(s.t.Context(), rig.Binary(s.t), append(args, "--api-url="+s.APIURL)...)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	return out.String()
}

// file writes a file of the catalog and returns its path.
func (s *shop) file(text string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "triggers.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// order is the command line that orders a replay of the shop's last hour.
func order(more ...string) []string {
	return append([]string{"replay", "create", "--source=shop", "-e", "production", "--from=1h"}, more...)
}

// orders posts orders of 1, 2, ... and waits until the log has the decision on each.
func (s *shop) orders(n int) (ids []string) {
	s.t.Helper()
	for i := range n {
		ids = append(ids, s.post(fmt.Sprintf(`{"type":"track","event":"Order Completed","userId":"u-%d","messageId":"m-%d","properties":{"total":%d}}`, i+1, i+1, i+1)))
	}
	s.Eventually("every order is decided", func() error {
		found, err := rig.All[eventItem](s.Pipeline, "/api/v1/events", url.Values{"source": {"shop"}})
		if err != nil {
			return err
		}
		for _, event := range found {
			if event.Status == "" {
				return fmt.Errorf("%s is undecided", event.ID)
			}
		}
		return nil
	})
	return ids
}

// awaitRuns waits until the log has so many runs, all of them delivered, and returns their event IDs, sorted.
func (s *shop) awaitRuns(n int) (eventIDs []string) {
	s.t.Helper()
	s.Eventually(fmt.Sprintf("%d runs are delivered", n), func() error {
		runs, err := rig.All[runItem](s.Pipeline, "/api/v1/runs", url.Values{"source": {"shop"}})
		if err != nil {
			return err
		}
		eventIDs = nil
		for _, run := range runs {
			if run.Status != "delivered" {
				return fmt.Errorf("run %s is %q", run.ID, run.Status)
			}
			eventIDs = append(eventIDs, run.EventID)
		}
		if len(runs) != n {
			return fmt.Errorf("there are %d", len(runs))
		}
		return nil
	})
	slices.Sort(eventIDs)
	return eventIDs
}

func TestDraftOfATriggerRunsOverWhatHasHappened(t *testing.T) {
	s := newShop(t)
	draft := s.create(object{"name": "big-order", "event": "Order Completed", "workflow": "big-order", "condition": "data.total > 3", "status": "inactive"})
	ids := s.orders(8)
	want := slices.Sorted(slices.Values(ids[3:]))

	wanted := object{"source": "shop", "environment": "production", "from": "1h", "triggers": []any{"big-order"}}
	ask := func() (found dryRun) {
		t.Helper()
		answer, err := rig.Request(http.MethodPost, s.APIURL+"/api/v1/replays/dry-run", []byte(asJSON(t, wanted)), http.Header{"Accept": {"application/json"}})
		if err == nil {
			err = rig.Decode(answer, &found)
		}
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	s.Call(http.MethodPost, "/api/v1/replays/dry-run", http.StatusOK, wanted, nil) // line by line
	before := ask()
	if before.Read != 8 || before.Created != 5 || before.Existed != 0 || len(before.Samples) != 5 || len(before.Diff) != 1 ||
		before.Diff[0].TriggerID != draft || before.Diff[0].NewlyMatched != 5 {
		t.Errorf("the dry run found %+v", before)
	}
	s.awaitRuns(0)

	out := s.millrace(order("--trigger=big-order", "--follow")...)
	if !strings.Contains(out, "100.0 %") || !strings.Contains(out, "completed") {
		t.Errorf("got\n%s", out)
	}
	if got := s.awaitRuns(5); !slices.Equal(got, want) {
		t.Errorf("runs of %v, want %v", got, want)
	}
	s.Eventually("the log knows the runs", func() error {
		if again := ask(); again.Created != 0 || again.Existed != 5 {
			return fmt.Errorf("a second dry run found %+v", again)
		}
		return nil
	})
	s.millrace(order("--trigger="+draft, "--follow")...)
	s.awaitRuns(5)
	s.millrace(order("--trigger=production/big-order", "--follow", "--force", "--where=data.total == 8", "--rate=0")...)
	if got := s.awaitRuns(6); len(slices.Compact(got)) != 5 {
		t.Errorf("runs of %v", got)
	}
	var list struct {
		Items []struct {
			State    string
			Progress struct{ Created, Existed int }
		}
	}
	s.Call(http.MethodGet, "/api/v1/replays?source=shop", http.StatusOK, nil, &list)
	if got := fmt.Sprint(list.Items); got != "[{completed {1 0}} {completed {0 5}} {completed {5 0}}]" {
		t.Errorf("the list is %s", got)
	}
	var audit struct {
		Items []struct{ Action, Actor, Kind string }
	}
	s.Eventually("the audit log tells who made them", func() error {
		if err := s.TryCall(http.MethodGet, "/api/v1/audit?kind=replay&action=created", http.StatusOK, nil, &audit); err != nil {
			return err
		}
		if len(audit.Items) != 3 || audit.Items[0].Actor != "loopback" {
			return fmt.Errorf("got %+v", audit.Items)
		}
		return nil
	})
}

func TestFailedEventsAreRepairedByAReplayOfTheMendedTrigger(t *testing.T) {
	s := newShop(t)
	id := s.create(object{"name": "receipt", "event": "Order Completed", "workflow": "receipt", "mapping": object{"recipients": "data.customer"}})
	s.post(`{"type":"track","event":"Order Completed","userId":"ok","properties":{"customer":"ok"}}`)
	s.orders(3) // none of them says the customer
	s.awaitRuns(1)

	draft := s.file("kind: trigger\nname: receipt\nenvironments: [production]\nsource: shop\nevent: Order Completed\nworkflow: receipt\n")
	out := s.millrace(order("--trigger-file="+draft, "--status=failed", "--dry-run")...)
	for _, want := range []string{"runs to create           3\n", "  asked about            3\n", "FAILED THEN", "receipt", `"recipients": [`, `"u-1"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	s.awaitRuns(1)
	s.Call(http.MethodPatch, "/api/v1/triggers/"+id, http.StatusOK, object{"mapping": object{}}, nil)
	s.millrace(order("--trigger=receipt", "--status=failed", "--wait")...)
	s.awaitRuns(4)
}

func TestReplayIsPausedAndGoesOnUntilItIsDone(t *testing.T) {
	s := newShop(t)
	s.create(object{"name": "slow", "event": "*", "workflow": "slow", "status": "inactive"})
	s.orders(6)
	var made struct{ ID, State string }
	s.Call(http.MethodPost, "/api/v1/replays", http.StatusCreated, object{
		"source": "shop", "environment": "production", "from": "1h", "triggers": []any{"slow"}, "rate": 0.5,
	}, &made)
	s.millrace("replay", "pause", made.ID)
	s.Call(http.MethodPost, "/api/v1/replays/"+made.ID+"/pause", http.StatusConflict, nil, nil)
	s.Call(http.MethodGet, "/api/v1/replays/"+made.ID, http.StatusOK, nil, &made)
	if made.State != "paused" {
		t.Errorf("it is %s", made.State)
	}
	s.millrace("replay", "resume", made.ID)
	s.millrace("replay", "get", made.ID, "--follow")
	s.awaitRuns(6)
}
