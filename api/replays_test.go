package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// replayRole answers in place of the replay role, whose own tests are in replay and end to end.
type replayRole struct {
	mu       sync.Mutex // guards what follows
	progress schemas.ReplayProgress
	failure  error // of asking for progress
	dryRun   func(ctx context.Context, replay schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error)
}

func (r *replayRole) asked() api.Replays {
	return api.Replays{
		DryRun: func(ctx context.Context, replay schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			r.mu.Lock()
			dryRun := r.dryRun
			r.mu.Unlock()
			return dryRun(ctx, replay, tell)
		},
		Progress: func(context.Context, schemas.Replay) (schemas.ReplayProgress, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.progress, r.failure
		},
	}
}

// is changes what the role answers from now on.
func (r *replayRole) is(change func(*replayRole)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// newReplayServer is a server with the source app and two triggers of it: welcome and, a draft, big-order.
func newReplayServer(t *testing.T, tokens ...string) server {
	t.Helper()
	s := newServer(t, tokens...)
	err := s.writer.Change(t.Context(), func(tx *catalog.Tx) error {
		source, err := tx.PutSource(schemas.Source{Name: "app"})
		if err != nil {
			return err
		}
		for _, trigger := range []schemas.Trigger{
			{Name: "welcome", Event: "Signed Up", Workflow: "welcome"},
			{Name: "big-order", Event: "Order Completed", Workflow: "big-order", Condition: "data.total > 100", Status: schemas.TriggerInactive},
		} {
			trigger.Environment, trigger.SourceID = "production", source.ID
			if _, err := tx.PutTrigger(trigger); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// replayBody is a body that is fine, but for the members that are given.
func replayBody(members ...string) string {
	all := map[string]json.RawMessage{
		"source": []byte(`"app"`), "environment": []byte(`"production"`), "from": []byte(`"2026-11-20T00:00Z"`), "triggers": []byte(`["big-order"]`),
	}
	for i := 0; i < len(members); i += 2 {
		all[members[i]] = json.RawMessage(members[i+1])
	}
	body, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(body)
}

func TestReplayIsMadeWithItsTriggersAsTheyAre(t *testing.T) {
	s := newReplayServer(t)
	made := s.call("POST", "/api/v1/replays", replayBody("to", `"2026-11-21T00:00Z"`, "events", `["Order Completed"]`,
		"where", `"data.total > 0"`, "statuses", `["failed"]`, "triggers", `["big-order",{"event":"*","workflow":"audit"}]`), http.StatusCreated)
	triggers, _ := made["triggers"].([]any)
	if len(triggers) != 2 || made["state"] != "running" || made["rate"] != 500.0 || made["generation"] != 0.0 || made["source"] != "app" ||
		made["from"] != "2026-11-20T00:00:00Z" || made["to"] != "2026-11-21T00:00:00Z" || made["actor"] != "loopback" || made["progress"] != nil {
		t.Fatalf("made %v", made)
	}
	saved := items(s.call("GET", "/api/v1/triggers?workflow=big-order", "", http.StatusOK))[0]
	first, second := triggers[0].(map[string]any), triggers[1].(map[string]any)
	if first["id"] != saved.(map[string]any)["id"] || first["condition"] != "data.total > 100" || first["status"] != "active" {
		t.Errorf("the saved trigger is replayed as %v", first)
	}
	again := s.call("POST", "/api/v1/replays", replayBody("force", `true`, "rate", `0`, "triggers", `[{"event":"*","workflow":"audit","status":"inactive"}]`), http.StatusCreated)
	other, _ := again["triggers"].([]any)
	if second["id"] == "" || other[0].(map[string]any)["id"] != second["id"] {
		t.Errorf("the same trigger has the IDs %v and %v", second["id"], other)
	}
	if generation, _ := again["generation"].(float64); generation < 1e12 || again["rate"] != 0.0 {
		t.Errorf("a forced one is %v", again)
	}
}

func TestAnswersAboutReplaysStayAsTheyAre(t *testing.T) {
	s := newReplayServer(t)
	s.golden("replay-created", "POST", "/api/v1/replays", replayBody("to", `"2026-11-21T00:00Z"`, "events", `["Order Completed"]`, "where", `"data.total > 0"`,
		"statuses", `["failed"]`, "rate", `50`, "triggers", `["big-order",{"event":"*","workflow":"audit","mapping":{"tenant":{"value":"x"}}}]`), http.StatusCreated)
	s.replays.is(func(r *replayRole) {
		r.progress = schemas.ReplayProgress{Done: 1, Total: 4, Read: 1, Matched: 1, Errors: map[string]int64{"no recipient": 1}}
	})
	s.golden("replays", "GET", "/api/v1/replays", "", http.StatusOK)
	s.golden("replay-refused", "POST", "/api/v1/replays", replayBody("source", `"nobody"`, "where", `"dta.total > 1"`, "triggers", `["gone"]`), http.StatusUnprocessableEntity)
}

func TestEverythingThatIsWrongWithAReplayIsSaidAtOnce(t *testing.T) {
	s := newReplayServer(t)
	for _, path := range []string{"/api/v1/replays", "/api/v1/replays/dry-run"} {
		problem := s.refused("POST", path, `{"source":"nobody","environment":"mars","from":"yesterday","where":"data.","statuses":["lost"],"rate":-1,
			"triggers":["gone",{"event":"E","workflow":"w","condition":"data.total >"},{"event":"E","workflow":"w","mapping":{"data":{"x":{"expr":"1 +"}}}},
			{"id":"mine","event":"E","workflow":"w","source_id":"other"}]}`, 422, "invalid", "from")
		if len(problem["problems"].([]any)) != 11 {
			t.Errorf("%s: %v", path, problem["problems"])
		}
		positions := map[string]bool{}
		for _, one := range problem["problems"].([]any) {
			fault := one.(map[string]any)
			positions[fault["field"].(string)] = fault["line"] != nil
		}
		for field, hasPosition := range map[string]bool{
			"source": false, "environment": false, "from": false, "where": true, "statuses.0": false, "rate": false, "triggers.0": false,
			"triggers.1.condition": true, "triggers.2.mapping.data.x": true, "triggers.3": false, "triggers.3.id": false,
		} {
			if got, found := positions[field]; !found || got != hasPosition {
				t.Errorf("%s: %s is not named, or without its position: %v", path, field, positions)
			}
		}
		s.refused("POST", path, `{"source":7,"triggers":[7]}`, 422, "invalid", "source")
		s.refused("POST", path, replayBody("triggers", `[{"event":"E","workflow":"w","evnt":1}]`), 422, "invalid", "triggers[0].evnt")
		s.refused("POST", path, replayBody("triggers", `[7]`), 422, "invalid", "triggers[0]")
		s.refused("POST", path, replayBody("triggers", `[]`), 422, "invalid", "triggers")
		s.refused("POST", path, replayBody("to", `"2026-11-19T00:00Z"`), 422, "invalid", "from")
	}
	if list := items(s.call("GET", "/api/v1/replays", "", http.StatusOK)); len(list) != 0 {
		t.Errorf("a refused replay was saved: %v", list)
	}
}

func TestReplaysAreListedNewestFirstPageByPage(t *testing.T) {
	s := newReplayServer(t)
	var made []string
	for range 5 {
		id, _ := s.call("POST", "/api/v1/replays", replayBody("from", `"-24h"`, "to", `"now"`), http.StatusCreated)["id"].(string)
		made = append([]string{id}, made...)
	}
	s.call("POST", "/api/v1/replays/"+made[1]+"/cancel", "", http.StatusOK)
	list := func(query string) (ids []string, next string) {
		t.Helper()
		page := s.call("GET", "/api/v1/replays"+query, "", http.StatusOK)
		for _, item := range items(page) {
			ids = append(ids, item.(map[string]any)["id"].(string))
		}
		next, _ = page["next_cursor"].(string)
		return ids, next
	}
	first, cursor := list("?limit=2&source=app&environment=production")
	s.call("POST", "/api/v1/replays", replayBody(), http.StatusCreated) // moves no page
	second, cursor := list("?limit=2&cursor=" + cursor)
	third, last := list("?limit=2&cursor=" + cursor)
	if got := fmt.Sprint(first, second, third); got != fmt.Sprint(made[:2], made[2:4], made[4:]) || last != "" {
		t.Errorf("got %s and %q, made %v", got, last, made)
	}
	if ids, _ := list("?state=cancelled"); fmt.Sprint(ids) != fmt.Sprint(made[1:2]) {
		t.Errorf("cancelled are %v", ids)
	}
	if ids, _ := list("?environment=development"); len(ids) != 0 {
		t.Errorf("in development are %v", ids)
	}
	s.refused("GET", "/api/v1/replays?state=lost", "", http.StatusBadRequest, "invalid_filter", "state")
	s.refused("GET", "/api/v1/replays?cursor=x", "", http.StatusBadRequest, "invalid_filter", "cursor")
	s.refused("GET", "/api/v1/replays?source=nobody", "", http.StatusNotFound, "not_found", "")
}

func TestReplayIsPausedResumedAndCancelled(t *testing.T) {
	s := newReplayServer(t)
	id, _ := s.call("POST", "/api/v1/replays", replayBody(), http.StatusCreated)["id"].(string)
	path := "/api/v1/replays/" + id
	s.refused("POST", path+"/resume", "", http.StatusConflict, "in_use", "")
	if got := s.call("POST", path+"/pause", "", http.StatusOK); got["state"] != "paused" || got["revision"] != 2.0 {
		t.Errorf("paused is %v", got)
	}
	if problem := s.refused("POST", path+"/pause", "", http.StatusConflict, "in_use", ""); !strings.Contains(problem["message"].(string), "is paused and cannot be paused") {
		t.Errorf("refused with %v", problem)
	}
	s.refusedWith(http.Header{"If-Match": {`"1"`}}, "POST", path+"/cancel", "", http.StatusPreconditionFailed, "stale", "If-Match")
	s.callWith(http.Header{"If-Match": {`"2"`}}, "POST", path+"/resume", "", http.StatusOK)
	if got := s.call("POST", path+"/cancel", "", http.StatusOK); got["state"] != "cancelled" || got["ended_at"] == nil {
		t.Errorf("cancelled is %v", got)
	}
	s.refused("POST", path+"/resume", "", http.StatusConflict, "in_use", "")
	s.refused("POST", path+"/pause", `{"why":"x"}`, http.StatusUnprocessableEntity, "invalid", "why")
	s.refused("POST", "/api/v1/replays/rpl_0/pause", "", http.StatusNotFound, "not_found", "")
	s.refused("GET", "/api/v1/replays/rpl_0", "", http.StatusNotFound, "not_found", "")
}

func TestProgressOfAReplayTellsItsSpeedAndWhatIsLeft(t *testing.T) {
	s := newReplayServer(t)
	id, _ := s.call("POST", "/api/v1/replays", replayBody(), http.StatusCreated)["id"].(string)
	path := "/api/v1/replays/" + id
	progress := func() map[string]any {
		t.Helper()
		got, _ := s.callWith(http.Header{"If-None-Match": {"*", `"1"`, `"2"`, `"3"`, `"4"`}}, "GET", path, "", http.StatusOK)["progress"].(map[string]any)
		return got
	}
	if got := progress(); got["percent"] != 0.0 || got["events_per_second"] != nil || got["seconds_left"] != nil {
		t.Errorf("before it begins: %v", got)
	}
	change := func(change func(*catalog.Tx) error) {
		t.Helper()
		if err := s.writer.Change(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	change(func(tx *catalog.Tx) error {
		_, err := tx.PlanReplay(id, 1, []schemas.ReplayRange{{Partition: 0, Start: 0, End: 1000}})
		return err
	})
	s.replays.is(func(r *replayRole) {
		r.progress = schemas.ReplayProgress{Done: 250, Total: 1000, Errors: map[string]int64{"mapping_error": 3}}
	})
	var got map[string]any
	for got = progress(); got["events_per_second"] == nil; got = progress() { // within its first second nothing is known
		<-time.After(20 * time.Millisecond)
	}
	speed, _ := got["events_per_second"].(float64)
	left, _ := got["seconds_left"].(float64)
	if got["percent"] != 25.0 || speed <= 0 || speed > 250 || left < 2.9 || left*speed < 749 || left*speed > 751 {
		t.Errorf("running: %v", got)
	}
	s.call("POST", path+"/pause", "", http.StatusOK)
	if got := progress(); got["percent"] != 25.0 || got["events_per_second"] != nil {
		t.Errorf("paused: %v", got)
	}
	s.call("POST", path+"/resume", "", http.StatusOK)
	if got := progress(); got["events_per_second"] != nil {
		t.Errorf("resumed, it is known how fast it was before: %v", got)
	}
	result := schemas.ReplayProgress{Done: 1000, Total: 1000, Created: 9}
	change(func(tx *catalog.Tx) error {
		_, err := tx.CompleteReplay(id, result)
		return err
	})
	s.replays.is(func(r *replayRole) { r.progress = result })
	done := s.call("GET", path, "", http.StatusOK)
	got, _ = done["progress"].(map[string]any)
	if speed, _ := got["events_per_second"].(float64); got["percent"] != 100.0 || got["created"] != 9.0 || speed <= 0 || got["seconds_left"] != nil {
		t.Errorf("completed: %v", done)
	}
	if answer := s.send("GET", path, "", http.Header{"If-None-Match": {`"5"`}}); answer.Status != http.StatusNotModified {
		t.Errorf("a completed one is read again: %d %s", answer.Status, answer.Body)
	}
	s.replays.is(func(r *replayRole) { r.failure = errors.New("no broker") })
	s.refused("GET", path, "", http.StatusServiceUnavailable, "unavailable", "")
}

func TestOrderThatIsSentTwiceWithItsKeyMakesOneReplay(t *testing.T) {
	s := newReplayServer(t, tokenSettings(t)...).as(writeToken)
	send := func(s server, key, body string) string {
		t.Helper()
		id, _ := s.callWith(http.Header{"Idempotency-Key": {key}}, "POST", "/api/v1/replays", body, http.StatusCreated)["id"].(string)
		return id
	}
	first := send(s, "k-1", replayBody())
	if !strings.HasPrefix(first, "rpl_") || send(s, "k-1", replayBody()) != first {
		t.Error("the same order has made two replays")
	}
	s.call("POST", "/api/v1/replays/"+first+"/cancel", "", http.StatusOK)
	if send(s, "k-1", replayBody()) != first {
		t.Error("a replay that was cancelled is made again by the order that made it")
	}
	others := map[string]bool{first: true}
	for _, id := range []string{
		send(s, "k-2", replayBody()), send(s, "k-1", replayBody("rate", "7")), send(s.as(adminToken), "k-1", replayBody()),
		send(s, "", replayBody()), send(s, "", replayBody()),
	} {
		if others[id] {
			t.Errorf("another order was answered with replay %s", id)
		}
		others[id] = true
	}
	if list := items(s.call("GET", "/api/v1/replays", "", http.StatusOK)); len(list) != len(others) {
		t.Errorf("%d replays, want %d", len(list), len(others))
	}
	s.refusedWith(http.Header{"Idempotency-Key": {strings.Repeat("k", 256)}}, "POST", "/api/v1/replays", replayBody(), http.StatusBadRequest, "bad_request", "Idempotency-Key")
}

func TestClientMakesAndChangesReplays(t *testing.T) {
	s := newReplayServer(t)
	client := api.NewClient(s.url, "")
	made, err := client.CreateReplay(t.Context(), json.RawMessage(replayBody()), "k-1")
	if err != nil || made.State != schemas.ReplayRunning {
		t.Fatal(made, err)
	}
	f := func(want schemas.ReplayState, change func(context.Context, string, int64) (api.Replay, error), revision int64) {
		t.Helper()
		changed, err := change(t.Context(), made.ID, revision)
		if err != nil || changed.State != want {
			t.Errorf("%+v, %v", changed, err)
		}
	}
	f(schemas.ReplayPaused, client.PauseReplay, 1)
	f(schemas.ReplayRunning, client.ResumeReplay, 2)
	var refused *api.RefusedError
	if _, err := client.PauseReplay(t.Context(), made.ID, 2); !errors.As(err, &refused) || refused.Status != http.StatusPreconditionFailed {
		t.Errorf("an old revision was changed: %v", err)
	}
	f(schemas.ReplayCancelled, client.CancelReplay, 0)
	if found, err := client.Replay(t.Context(), made.ID); err != nil || found.State != schemas.ReplayCancelled || found.Progress == nil {
		t.Errorf("%+v, %v", found, err)
	}
	if page, err := client.Replays(t.Context(), url.Values{"state": {"cancelled"}}); err != nil || len(page.Items) != 1 || page.Items[0].ID != made.ID {
		t.Errorf("%+v, %v", page, err)
	}
}
