package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// replaysAsked stands in for the replay role: it tells of every replay the same, and keeps what dry runs were about.
type replaysAsked struct {
	mu       sync.Mutex // guards what follows
	dryRuns  []schemas.Replay
	isDone   bool // every run exists already
	progress schemas.ReplayProgress
}

func (a *replaysAsked) replays() api.Replays {
	return api.Replays{DryRun: a.dryRun, Progress: func(context.Context, schemas.Replay) (schemas.ReplayProgress, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.progress, nil
	}}
}

func (a *replaysAsked) dryRun(_ context.Context, replay schemas.Replay, _ func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dryRuns = append(a.dryRuns, replay)
	found := schemas.ReplayPreview{ReplayProgress: schemas.ReplayProgress{
		Done: 40, Total: 40, Read: 30, Skipped: 2, Matched: 28, Created: 17, Existed: 3, Errors: map[string]int64{"no recipient": 1},
	}}
	if a.isDone {
		found.Created, found.Existed = 0, 20
	}
	for _, trigger := range replay.Triggers {
		found.Diff = append(found.Diff, schemas.ReplayDiff{TriggerID: trigger.ID, NewlyMatched: 11, Same: 12, Changed: 13, FailsNow: 14})
		found.Samples = append(found.Samples,
			schemas.ReplaySample{RunID: "r-1", EventID: "e-1", Event: "Order Completed", TriggerID: trigger.ID, Workflow: trigger.Workflow, Request: `{"recipients":["ada"]}`},
			schemas.ReplaySample{RunID: "r-2", EventID: "e-2", Event: "Order Completed", TriggerID: trigger.ID, Workflow: trigger.Workflow, Request: `{"recip`, RequestIsCut: true, ExistsAlready: true})
	}
	return found, nil
}

// lastDryRun is what was asked about last.
func (c *cli) lastDryRun() schemas.Replay {
	c.t.Helper()
	c.asked.mu.Lock()
	defer c.asked.mu.Unlock()
	if len(c.asked.dryRuns) == 0 {
		c.t.Fatal("nobody asked for a dry run")
	}
	return c.asked.dryRuns[len(c.asked.dryRuns)-1]
}

func (c *cli) replays() []schemas.Replay { return c.reader.Snapshot().Replays() }

// order is a command line that orders a replay, with what follows.
func order(more ...string) []string {
	return append([]string{"replay", "create", "--source=shop", "--env=production", "--from", "2026-11-20T00:00Z"}, more...)
}

func TestDryRunOfAReplayIsShownWithItsCountsDiffAndSamples(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	c.shows([]string{
		"from                     2026-11-20T00:00:00Z\n", "events read              30\n", "runs to create           17\n", "runs that exist already  3\n",
		"error                    1 times: no recipient\n",
		"EVENTS BY TRIGGER     NEW  SAME  CHANGED  UNCOMPARED  NO LONGER  FAILED THEN  FAILS NOW\nproduction/big-order  11   12    13       0           0          0            14\n",
		"r-1 of event e-1 (Order Completed) through production/big-order to workflow big-order\n  {\n    \"recipients\": [\n      \"ada\"\n    ]\n  }\n",
		"workflow big-order, exists already\n  {\"recip ...\n",
	}, order("--trigger=production/big-order", "--dry-run", "--event=Order Completed", "--where=data.total > 100", "--status=failed,processed", "--rate=0", "--force")...)
	asked := c.lastDryRun()
	if asked.Where != "data.total > 100" || len(asked.Statuses) != 2 || asked.Rate != 0 || asked.Generation == 0 || len(asked.Events) != 1 || asked.From.Day() != 20 {
		t.Errorf("asked about %+v", asked)
	}
	out, _ := c.run(0, order("--trigger=big-order", "--dry-run", "-o", "json", "--to=2026-11-21T00:00Z")...)
	var found api.DryRun
	if err := json.Unmarshal([]byte(out), &found); err != nil || found.Created != 17 || len(found.Samples) != 2 || found.To.Day() != 21 {
		t.Errorf("%v: %s", err, out)
	}
	if len(c.replays()) != 0 {
		t.Error("a replay was made")
	}
}

func TestTriggersOfAReplayComeFromFiles(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	saved, _ := c.reader.Snapshot().TriggerNamed("production", "big-order")
	draft := c.file("kind: trigger\nname: big-order\nenvironments: [development, production]\nsource: shop\nevent: Order Completed\nworkflow: big-order\ncondition: data.total > 7\n" +
		"---\nkind: trigger\nname: brand-new\nenvironments: [production]\nsource: shop\nevent: Signed Up\nworkflow: welcome\nstatus: inactive\nmapping: {data: {n: {expr: 1 + 1}}}\n")
	c.run(0, order("--trigger-file", draft, "--dry-run")...)
	got := c.lastDryRun().Triggers
	if len(got) != 2 || got[0].ID != saved.ID || got[0].Condition != "data.total > 7" || got[1].Name != "brand-new" || !strings.HasPrefix(got[1].ID, "trg_") {
		t.Errorf("asked about %+v", got)
	}
	c.fails([]string{"no trigger of source shop in production"}, order("--trigger-file", c.file("kind: environment\nname: staging\n"), "--dry-run")...)
	c.fails([]string{"condition", ":7:"}, order("--trigger-file", c.file("kind: trigger\nname: a\nenvironments: [production]\nsource: shop\nevent: E\nworkflow: w\ncondition: data.\n"), "--dry-run")...)
	c.fails([]string{`there is no trigger "nobody"`}, order("--trigger=nobody", "--dry-run")...)
	c.fails([]string{"where: ", "line 1"}, order("--trigger=big-order", "--where=data.", "--dry-run")...)
	c.fails([]string{"triggers: give 1 to 100"}, order("--dry-run")...)
}

func TestReplayIsOrderedAndManagedFromTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	out := c.shows([]string{"state        running\n", "rate         500 runs/s\n", "trigger      big-order of Order Completed to big-order\n", "statuses     all but duplicate\n"}, order("--trigger=big-order")...)
	id := regexp.MustCompile(`rpl_\w+`).FindString(out)
	if len(c.asked.dryRuns) != 0 {
		t.Error("a script got a dry run that it has not asked for")
	}
	c.asked.progress = schemas.ReplayProgress{Done: 20, Total: 80, Created: 5, Errors: map[string]int64{"no recipient": 2}}
	c.shows([]string{"REPLAY", id + "  running  25.0 %  shop    production   2026-11-20T00:00:00Z"}, "replay", "list", "-e", "production", "--source=shop", "--state=running")
	c.shows([]string{"done                       25.0 %, 20 of 80\n", "runs created               5\n", "2 times: no recipient"}, "replay", "show", id)
	c.shows([]string{"state        paused"}, "replay", "pause", id)
	c.fails([]string{"is paused and cannot be paused"}, "replay", "pause", id)
	c.fails([]string{"Somebody else was faster"}, "replay", "resume", id, "--if-revision=1")
	c.shows([]string{`"state": "running"`}, "replay", "resume", id, "-o", "json")
	c.shows([]string{"state        cancelled"}, "replay", "cancel", id)
	c.fails([]string{"the replay is cancelled"}, "replay", "get", id, "--follow")
	c.fails([]string{"not found"}, "replay", "get", "rpl_0")
}

func TestSomebodyAtATerminalIsAskedAfterADryRun(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	c.isTTY, c.stdin = true, "no\n"
	_, errs := c.run(exitFailed, order("--trigger=big-order")...)
	c.contains(errs, []string{"runs to create           17", "Create 17 runs? Only yes will do it", "nothing was done"}, nil)
	c.stdin = "yes\n"
	c.run(0, order("--trigger=big-order")...)
	shown := c.lastDryRun()
	if made := c.replays(); len(made) != 1 || !made[0].To.Equal(shown.To) || !made[0].From.Equal(shown.From) {
		t.Errorf("made %+v, shown was %+v", made, shown)
	}
	before := len(c.asked.dryRuns)
	if c.run(0, order("--trigger=big-order", "--yes")...); len(c.asked.dryRuns) != before {
		t.Error("--yes made a dry run")
	}
	c.asked.isDone = true
	if _, errs := c.run(0, order("--trigger=big-order")...); !strings.Contains(errs, "No run would be created") || len(c.replays()) != 2 {
		t.Errorf("%s; there are %d replays", errs, len(c.replays()))
	}
}

func TestFollowingAReplayOutlastsTheAPI(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const replay = `{"id":"rpl_1","state":"%s","progress":{"done":%d,"total":4,"percent":%d,"errors":{}}}`
		switch asked.Add(1) {
		case 1:
			fmt.Fprintf(w, replay, "running", 1, 25)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"error":{"code":"unavailable","message":"no answer"}}`)
		default:
			fmt.Fprintf(w, replay, "completed", 4, 100)
		}
	}))
	t.Cleanup(server.Close)
	c := &cli{t: t, url: server.URL}
	_, errs := c.run(0, "replay", "get", "rpl_1", "--follow")
	c.contains(errs, []string{"25.0 %, 1 of 4", "no answer", "It is asked again until it answers", "100.0 %, 4 of 4"}, nil)
}

func TestReplayIsFollowedUntilItEndsAndLeftRunningByCtrlC(t *testing.T) {
	c := newCLI(t)
	c.run(0, "apply", "-y", "-f", example)
	c.asked.progress = schemas.ReplayProgress{Done: 20, Total: 80}
	t.Setenv("MILLRACE_API_URL", c.url)
	follow := func(args ...string) (out, errs *rig.Buffer, stop func(), status <-chan int) {
		ctx, stop := context.WithCancel(t.Context())
		out, errs = &rig.Buffer{}, &rig.Buffer{}
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, args, terminal{strings.NewReader(""), out, errs, false}) }()
		t.Cleanup(stop)
		return out, errs, stop, ended
	}
	await := func(what *rig.Buffer, text string) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for !strings.Contains(what.String(), text) {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-deadline:
				t.Fatalf("no %q in %s", text, what.String())
			}
		}
	}
	_, errs, stop, ended := follow(order("--trigger=big-order", "--wait")...)
	await(errs, ": 25.0 %, 20 of 80\n")
	stop()
	if status := <-ended; status != 0 || !strings.Contains(errs.String(), "goes on. `millrace replay get rpl_") {
		t.Errorf("it ended with %d: %s", status, errs)
	}
	id := c.replays()[0].ID
	if state := c.replays()[0].State; state != schemas.ReplayRunning {
		t.Errorf("ctrl-C has left it %s", state)
	}
	out, errs, _, ended := follow("replay", "get", id, "--follow", "-o", "json")
	await(errs, "25.0 %")
	result := schemas.ReplayProgress{Done: 80, Total: 80, Created: 60}
	c.asked.mu.Lock()
	c.asked.progress = result
	c.asked.mu.Unlock()
	err := c.writer.Change(t.Context(), func(tx *catalog.Tx) error {
		_, err := tx.CompleteReplay(id, result)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if status := <-ended; status != 0 || !strings.Contains(out.String(), `"created": 60`) || !strings.Contains(errs.String(), ": 100.0 %, 80 of 80") {
		t.Errorf("it ended with %d: %s%s", status, out, errs)
	}
}
