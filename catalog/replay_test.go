package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

func replayOf(source schemas.Source) schemas.Replay {
	return schemas.Replay{
		Environment: "production", SourceID: source.Name, From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour),
		Triggers: []schemas.Trigger{{Event: "Order", Workflow: "order", Condition: "data.total > 100", Status: schemas.TriggerInactive}},
	}
}

func changeReplay(writer *catalog.Writer, change func(*catalog.Tx) (schemas.Replay, error)) (made schemas.Replay, err error) {
	err = writer.Change(context.Background(), func(tx *catalog.Tx) error {
		made, err = change(tx)
		return err
	})
	return made, err
}

func createReplay(t *testing.T, writer *catalog.Writer, replay schemas.Replay) schemas.Replay {
	t.Helper()
	made, err := changeReplay(writer, func(tx *catalog.Tx) (schemas.Replay, error) { return tx.CreateReplay(replay) })
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestReplayIsFixedWhenItIsMade(t *testing.T) {
	config := newCluster(t)
	reader, writer := open(t, config)
	source := newSource(t, writer, "app")
	before := time.Now()
	made := createReplay(t, writer, replayOf(source))
	if made.State != schemas.ReplayRunning || made.Revision != 1 || made.Source != "app" || made.SourceID != source.ID || made.Generation != 0 ||
		made.To.After(time.Now()) || made.To.Before(before.Add(-time.Minute)) || !strings.HasPrefix(made.ID, "rpl_") {
		t.Errorf("%+v", made)
	}
	trigger := made.Triggers[0]
	if trigger.Status != schemas.TriggerActive || trigger.SourceID != source.ID || trigger.Environment != "production" || !strings.HasPrefix(trigger.ID, "trg_") {
		t.Errorf("%+v", trigger)
	}
	if again := createReplay(t, writer, replayOf(source)); again.Triggers[0].ID != trigger.ID {
		t.Error("the same trigger has got another ID")
	}
	other := replayOf(source)
	other.Triggers[0].Condition = "data.total > 101"
	if another := createReplay(t, writer, other); another.Triggers[0].ID == trigger.ID {
		t.Error("another trigger has got the same ID")
	}
	forced := replayOf(source)
	forced.Generation = 1
	first, second := createReplay(t, writer, forced), createReplay(t, writer, forced)
	if first.Generation == 0 || second.Generation <= first.Generation {
		t.Errorf("generations %d and %d", first.Generation, second.Generation)
	}
	if list := reader.Snapshot().Replays(); len(list) != 5 || list[0].ID != made.ID {
		t.Errorf("%+v", list)
	}
	// Before it come two environments and the source.
	if entry := readAudit(t, config, 8)[3]; entry.Kind != "replay" || entry.Action != schemas.Created || entry.ResourceID != made.ID {
		t.Errorf("%+v", entry)
	}
}

func TestReplayThatMakesNoSenseIsRefused(t *testing.T) {
	_, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	f := func(field string, change func(*schemas.Replay)) {
		t.Helper()
		replay := replayOf(source)
		change(&replay)
		_, err := changeReplay(writer, func(tx *catalog.Tx) (schemas.Replay, error) { return tx.CreateReplay(replay) })
		var refused *catalog.InvalidError
		if !errors.As(err, &refused) || refused.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	f("environment", func(r *schemas.Replay) { r.Environment = "moon" })
	f("source", func(r *schemas.Replay) { r.SourceID = "moon" })
	f("from", func(r *schemas.Replay) { r.From = time.Time{} })
	f("from", func(r *schemas.Replay) { r.From, r.To = time.Now().Add(-time.Hour), time.Now().Add(-2*time.Hour) })
	f("from", func(r *schemas.Replay) { r.From = time.Now().Add(time.Minute) })
	f("rate", func(r *schemas.Replay) { r.Rate = -1 })
	f("triggers", func(r *schemas.Replay) { r.Triggers = nil })
	f("triggers", func(r *schemas.Replay) {
		for i := range 100 {
			r.Triggers = append(r.Triggers, schemas.Trigger{Event: fmt.Sprint(i), Workflow: "order"})
		}
	})
	f("triggers.1", func(r *schemas.Replay) { r.Triggers = append(r.Triggers, r.Triggers[0]) })
	f("triggers.0", func(r *schemas.Replay) { r.Triggers[0].Environment = "development" })
	f("triggers.0.workflow", func(r *schemas.Replay) { r.Triggers[0].Workflow = "a b" })
	f("triggers.0.event", func(r *schemas.Replay) { r.Triggers[0].Event = "" })
	f("events.0", func(r *schemas.Replay) { r.Events = []string{"", "Order"} })
	f("events", func(r *schemas.Replay) { r.Events = []string{"Visit"} })
	f("where", func(r *schemas.Replay) { r.Where = strings.Repeat("x", 20<<10) })
	f("statuses.0", func(r *schemas.Replay) { r.Statuses = []schemas.Status{"odd"} })
	f("statuses.1", func(r *schemas.Replay) { r.Statuses = []schemas.Status{schemas.Failed, schemas.AnyStatus} })
}

func TestReplayGoesOnlyFromOneStateToTheNext(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	id := createReplay(t, writer, replayOf(source)).ID
	ranges := []schemas.ReplayRange{{Partition: 0, Start: 1, End: 9}}
	steps := []struct {
		what   string
		change func(*catalog.Tx) (schemas.Replay, error)
		want   schemas.ReplayState // "" where it is refused
	}{
		{"resuming what runs", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.ResumeReplay(id) }, ""},
		{"beginning for another revision", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.PlanReplay(id, 7, ranges) }, ""},
		{"beginning", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.PlanReplay(id, 1, ranges) }, schemas.ReplayRunning},
		{"beginning once more", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.PlanReplay(id, 1, nil) }, ""},
		{"pausing", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.PauseReplay(id, "tired") }, schemas.ReplayPaused},
		{"completing what is paused", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.CompleteReplay(id, schemas.ReplayProgress{}) }, ""},
		{"resuming", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.ResumeReplay(id) }, schemas.ReplayRunning},
		{"cancelling", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.CancelReplay(id) }, schemas.ReplayCancelled},
		{"failing what is over", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.FailReplay(id, "no") }, ""},
		{"noting the result", func(tx *catalog.Tx) (schemas.Replay, error) {
			return tx.SettleReplay(id, schemas.ReplayProgress{Created: 3})
		}, schemas.ReplayCancelled},
		{"noting another", func(tx *catalog.Tx) (schemas.Replay, error) { return tx.SettleReplay(id, schemas.ReplayProgress{}) }, schemas.ReplayCancelled},
	}
	for _, step := range steps {
		made, err := changeReplay(writer, step.change)
		if (err != nil) != (step.want == "") || err == nil && made.State != step.want {
			t.Fatalf("%s: %s, %v", step.what, made.State, err)
		}
	}
	if made, _ := reader.Snapshot().Replay(id); made.Result.Created != 3 || made.Partitions[0] != ranges[0] || made.EndedAt.IsZero() || made.StartedAt.IsZero() {
		t.Errorf("%+v", made)
	}
	if _, err := changeReplay(writer, func(tx *catalog.Tx) (schemas.Replay, error) { return tx.PauseReplay("rpl_none", "") }); !errors.Is(err, catalog.ErrNotFound) {
		t.Error(err)
	}
}

func TestOpenReplaysAreBoundedAndKeepWhatTheyNeed(t *testing.T) {
	_, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	var last schemas.Replay
	for range 20 {
		last = createReplay(t, writer, replayOf(source))
	}
	refused := func(what string, change func(*catalog.Tx) error) {
		t.Helper()
		var conflict *catalog.InUseError
		if err := writer.Change(t.Context(), change); !errors.As(err, &conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("one more", func(tx *catalog.Tx) error { _, err := tx.CreateReplay(replayOf(source)); return err })
	refused("deleting its source", func(tx *catalog.Tx) error { return tx.DeleteSource("app") })
	refused("renaming its environment", func(tx *catalog.Tx) error { return tx.RenameEnvironment("production", "live") })
	refused("deleting its environment", func(tx *catalog.Tx) error { return tx.DeleteEnvironment("production") })
	if _, err := changeReplay(writer, func(tx *catalog.Tx) (schemas.Replay, error) { return tx.CancelReplay(last.ID) }); err != nil {
		t.Fatal(err)
	}
	createReplay(t, writer, replayOf(source))
}

func TestOldestReplayThatHasEndedIsForgotten(t *testing.T) {
	reader, writer := open(t, newCluster(t))
	source := newSource(t, writer, "app")
	open := createReplay(t, writer, replayOf(source))
	var first string
	for len(reader.Snapshot().Replays()) < 1000 {
		err := writer.Change(t.Context(), func(tx *catalog.Tx) error {
			for range 111 {
				made, err := tx.CreateReplay(replayOf(source))
				if err != nil {
					return err
				}
				if first == "" {
					first = made.ID
				}
				if _, err := tx.CancelReplay(made.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	createReplay(t, writer, replayOf(source))
	_, firstIsThere := reader.Snapshot().Replay(first)
	_, openIsThere := reader.Snapshot().Replay(open.ID)
	if count := len(reader.Snapshot().Replays()); count != 1000 || firstIsThere || !openIsThere {
		t.Errorf("%d replays; the first that ended is there: %v, the one that has not: %v", count, firstIsThere, openIsThere)
	}
}
