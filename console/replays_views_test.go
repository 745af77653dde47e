package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// replayID is the ID of the replay in this state.
func replayID(state schemas.ReplayState) string { return "rpl_" + string(state) }

// newReplayPath is the form of a replay that repairs events.
const newReplayPath = "/replays/new?source=" + shopID + "&environment=production&event=Order+Completed&status=failed&trigger=" + orderID + "&condition=data.total+%3E+100"

// replaysViews are the pages of this part that are worth a look.
func replaysViews() []view {
	busy := busyShop()
	return []view{
		{name: "replays", path: "/replays", knows: busy},
		{name: "replays-empty", path: "/replays", knows: emptyShop()},
		{name: "replays-down", path: "/replays", knows: busy, change: func(f *fakeAPI) {
			f.refuse["GET /replays"] = refusal{503, "unavailable", "", "the catalog or the event log did not answer; try again"}
		}},
		{name: "replay-running", path: "/replays/" + replayID(schemas.ReplayRunning), knows: busy, open: true},
		{name: "replay-completed", path: "/replays/" + replayID(schemas.ReplayCompleted), knows: busy},
		{name: "replay-paused", path: "/replays/" + replayID(schemas.ReplayPaused), knows: busy},
		{name: "replay-failed", path: "/replays/" + replayID(schemas.ReplayFailed), knows: busy},
		{name: "replay-new-first", path: "/replays/new", knows: busy},
		{name: "replay-new", path: newReplayPath, knows: busy, open: true},
	}
}

// replaysPaths are its pages, of the busy shop.
func replaysPaths() []string {
	return []string{"/replays", "/replays/" + replayID(schemas.ReplayRunning), "/replays/" + replayID(schemas.ReplayFailed), newReplayPath}
}

// someReplays are one in each state.
func someReplays() []api.Replay {
	all := []api.Replay{}
	for i, state := range []schemas.ReplayState{
		schemas.ReplayRunning, schemas.ReplayPaused, schemas.ReplayCompleted, schemas.ReplayFailed, schemas.ReplayCancelled,
	} {
		made := noon().Add(-time.Duration(i*i) * 7 * time.Hour)
		perSecond, left := 18250.4, 91.6
		done := int64(1_204_000 - i*210_000)
		replay := api.Replay{Replay: schemas.Replay{
			ID: replayID(state), Environment: "production", SourceID: shopID, Source: "shop", From: made.Add(-72 * time.Hour), To: made,
			Triggers: shopTriggers()[:1+i%2], Rate: 500, State: state, Actor: "ci", Revision: 2, CreatedAt: made, UpdatedAt: made, StartedAt: made.Add(time.Second),
		}, Progress: &api.ReplayProgress{
			ReplayProgress: schemas.ReplayProgress{
				Done: done, Total: 2_875_411, Read: done / 2, Skipped: done / 9, Matched: done / 3, Created: done / 30, Existed: done / 5,
				Errors: map[string]int64{},
			}, Percent: 100 * float64(done) / 2_875_411,
		}}
		switch state {
		case schemas.ReplayRunning:
			replay.Progress.EventsPerSecond, replay.Progress.SecondsLeft = &perSecond, &left
			replay.Events = []string{"Order Completed", "Order Refunded"}
		case schemas.ReplayPaused:
			replay.Reason = "the event log does not know what was decided on event 019524f0-0000-7000-8000-000000000001, for 10m0s; look whether millrace eventlog runs"
		case schemas.ReplayCompleted:
			replay.Progress.Done, replay.Progress.Percent, replay.Progress.EventsPerSecond = 2_875_411, 100, &perSecond
			replay.Progress.Errors = map[string]int64{"recipients: data.recipientId is missing": 412, `condition: cannot compare <nil> with number (1:12)`: 9, "other": 3}
			replay.Statuses, replay.Where, replay.EndedAt = []schemas.Status{schemas.Failed}, `data.total > 100 && data.currency == "EUR"`, made.Add(4*time.Minute)
		case schemas.ReplayFailed:
			replay.Reason = "partition 3 of millrace.events ends at offset 12 and reached 4711 when the replay began: the topic is another one since; create the replay anew"
			replay.Generation, replay.EndedAt = 1_772_000_000_000, made.Add(time.Minute)
		case schemas.ReplayCancelled:
			replay.EndedAt = made.Add(time.Minute)
		}
		all = append(all, replay)
	}
	return all
}

// someDryRun is what a dry run finds.
func someDryRun() api.DryRun {
	samples := []schemas.ReplaySample{}
	for i := range 3 {
		samples = append(samples, schemas.ReplaySample{
			EventID: fmt.Sprintf("019524f0-0000-7000-8000-%012d", i+1), Event: "Order Completed", TriggerID: orderID, Workflow: "order-confirmation",
			RunID: runID, Request: `{"recipients":["ada"],"data":{"order":"90210","total":142.5,"note":"<b>"}}`, ExistsAlready: i == 1, DiffersFromThen: i == 2,
		})
	}
	return api.DryRun{
		ReplayPreview: schemas.ReplayPreview{
			ReplayProgress: schemas.ReplayProgress{
				Done: 61_204, Total: 61_204, Read: 48_020, Skipped: 47_608, Matched: 412, Created: 398, Existed: 5,
				Errors: map[string]int64{"recipients: <i>data.recipientId</i> is missing": 9},
			},
			Samples: samples,
			Diff:    []schemas.ReplayDiff{{TriggerID: orderID, NewlyMatched: 2, Same: 5, FailedThen: 396, FailsNow: 9}},
		},
		From: noon().Add(-24 * time.Hour), To: noon().Add(123 * time.Millisecond),
	}
}

// replaysAnswer answers what its pages ask for; 0 is the status of what is not theirs.
func (f *fakeAPI) replaysAnswer(r *http.Request, path string, me api.Me) (status int, answer any) {
	switch {
	case path == "/replays" && r.Method == http.MethodGet:
		return 200, f.replaysPage(r.URL.Query())
	case !strings.HasPrefix(path, "/replays"):
		return 0, nil
	case r.Method != http.MethodGet && me.Scope == "read":
		return no(403, "forbidden", "", "this needs a token with the scope write")
	case path == "/replays":
		made := f.world.replays[0]
		made.Progress = nil
		return 201, made
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(path, "/replays/"), "/")
	for _, replay := range f.world.replays {
		if replay.ID == id {
			return 200, replay
		}
	}
	return no(404, "not_found", "", fmt.Sprintf("replay %q: not found", id))
}

func (f *fakeAPI) replaysPage(filter url.Values) any {
	found := slices.Clone(f.world.replays)
	if filter.Get("state") != "" {
		found = slices.DeleteFunc(found, func(r api.Replay) bool { return string(r.State) != filter.Get("state") })
	}
	answer := items(found)
	if len(found) > 0 && filter.Get("cursor") == "" {
		answer["next_cursor"] = "page-2"
	}
	return answer
}

// fakeDryRun is what a dry run does.
type fakeDryRun struct {
	told   []api.ReplayProgress // first
	holds  <-chan struct{}      // then it waits for this to be closed, where it is not nil
	left   chan<- struct{}      // closed when its client goes away before that
	failed *refusal             // how it ends, where that is not with a result
	finds  func(*api.DryRun)    // changes the result
}

// serveDryRun answers line by line. It reports whether the request was one for a dry run that is not refused at once.
func (f *fakeAPI) serveDryRun(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/replays/dry-run" {
		return false
	}
	f.mu.Lock()
	_, isRefused := f.refuse["POST /replays/dry-run"]
	script := f.dryRun
	if !isRefused {
		f.asked = append(f.asked, asked{method: r.Method, path: "/replays/dry-run", body: string(body)})
	}
	f.mu.Unlock()
	if isRefused {
		return false
	}
	w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	line := func(content any) {
		encoded, err := json.Marshal(content)
		if err != nil {
			f.t.Error(err)
		}
		exchange := rig.Exchange{Method: r.Method, Path: r.URL.Path, Sent: body, Answer: rig.Answer{Status: 200, Header: w.Header(), Body: append(encoded, '\n')}}
		if err := f.contract.Check(exchange); err != nil {
			f.t.Error(err)
		}
		_, _ = w.Write(exchange.Answer.Body)
		_ = http.NewResponseController(w).Flush()
	}
	for _, now := range script.told {
		line(map[string]any{"progress": now})
	}
	for isHeld := script.holds != nil; isHeld; {
		select {
		case <-script.holds:
			isHeld = false
		case <-r.Context().Done():
			close(script.left)
			return true
		case <-time.After(20 * time.Millisecond): // the API goes on telling
			line(map[string]any{"progress": script.told[len(script.told)-1]})
		}
	}
	if script.failed != nil {
		_, problem := no(422, script.failed.code, script.failed.field, script.failed.message)
		line(problem)
		return true
	}
	found := someDryRun()
	if script.finds != nil {
		script.finds(&found)
	}
	line(map[string]any{"result": found})
	return true
}
