package replay_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/schemas"
)

func pausing(id string) func(*catalog.Tx) error {
	return func(tx *catalog.Tx) error { _, err := tx.PauseReplay(id, ""); return err }
}

func resuming(id string) func(*catalog.Tx) error {
	return func(tx *catalog.Tx) error { _, err := tx.ResumeReplay(id); return err }
}

func TestReplayIsPausedResumedAndCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(400)...)
	w.decided()
	w.role(nil)
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = 60 }))
	w.reaches(r.ID, 20)
	w.change(pausing(r.ID))
	group := w.config.Group("replay." + r.ID)
	w.eventually("everybody has left", func() error {
		described, err := w.admin.DescribeGroups(t.Context(), group)
		if err == nil && len(described[group].Members) > 0 {
			err = errors.New("there are members")
		}
		return err
	})
	before := w.progress(r.ID)
	runs, _, records := w.written(r.ID)
	if int64(len(runs)) != before.Created || records != len(runs) || before.Created >= 299 || before.Percent() >= 100 {
		t.Errorf("%d runs in %d records, and what is committed says %+v", len(runs), records, before)
	}
	w.change(resuming(r.ID))
	r = w.ends(r.ID, schemas.ReplayCompleted)
	w.exactly(r, isBig)
	w.eventually("the group is gone", func() error {
		described, err := w.admin.DescribeGroups(t.Context(), group)
		if err == nil && described[group].State != "Dead" && !errors.Is(described[group].Err, kerr.GroupIDNotFound) {
			err = errors.New(described[group].State)
		}
		return err
	})
	if progress := w.progress(r.ID); progress.Created != 299 || progress.Percent() != 100 {
		t.Errorf("once it is completed: %+v", progress)
	}
}

func TestCancelledReplayKeepsItsResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(400)...)
	w.decided()
	stop := w.role(nil)
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = 40 }))
	w.reaches(r.ID, 1)
	stop() // whoever comes next finds out what came of it
	w.change(func(tx *catalog.Tx) error { _, err := tx.CancelReplay(r.ID); return err })
	w.role(nil)
	r = w.ends(r.ID, schemas.ReplayCancelled)
	runs, _, _ := w.written(r.ID)
	if r.Result.Created != int64(len(runs)) || len(runs) == 0 || len(runs) >= 299 {
		t.Errorf("%d runs: %+v", len(runs), r.Result)
	}
	if err := w.writer.Change(t.Context(), resuming(r.ID)); err == nil {
		t.Error("it was resumed")
	}
}

func TestReplaysWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(150)...)
	w.decided()
	w.role(func(c *replay.Config) { c.Concurrent = 1 })
	first := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = 25 }))
	second := w.create(w.wanted(func(r *schemas.Replay) { r.Triggers[0].Workflow = "other" }))
	second = w.ends(second.ID, schemas.ReplayCompleted)
	first = w.ends(first.ID, schemas.ReplayCompleted)
	if second.StartedAt.Before(first.EndedAt) {
		t.Errorf("the second began at %s, before the first ended at %s", second.StartedAt, first.EndedAt)
	}
	w.exactly(first, isBig)
	w.exactly(second, isBig)
	if took := first.EndedAt.Sub(first.StartedAt); took < 1500*time.Millisecond {
		t.Errorf("49 runs at 25 a second took %s", took)
	}
}

func TestReplayPausesWhileTheLogDoesNotKnowWhatWasDecided(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(orders(150)...)
	w.role(func(c *replay.Config) { c.LogPatience = time.Second })
	r := w.create(w.wanted(nil))
	w.eventually("it is paused", func() error {
		if r, _ = w.reader.Snapshot().Replay(r.ID); r.State != schemas.ReplayPaused {
			return errors.New(string(r.State))
		}
		return nil
	})
	if !strings.Contains(r.Reason, "any status") || w.progress(r.ID).Created != 0 {
		t.Errorf("%q", r.Reason)
	}
	w.decided()
	w.change(resuming(r.ID))
	w.exactly(w.ends(r.ID, schemas.ReplayCompleted), isBig)
}
