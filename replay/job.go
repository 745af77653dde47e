package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

const (
	// writeTimeout bounds writing and committing what came of a round, which is finished when the role is to stop. A
	// rebalance waits for it, and for no longer than rebalanceTime.
	writeTimeout = 45 * time.Second
	// idlePause is how long a member waits that has nothing to do, before it looks whether the others are done.
	idlePause = 300 * time.Millisecond
)

// job is this process's part in one replay.
type job struct {
	*Replay
	spec   *spec
	logger *slog.Logger
}

// work works on a replay until it has ended or ctx ends. What fails is begun anew from what is committed, with growing
// pauses; a replay that cannot go on is paused or fails, and says why.
func (r *Replay) work(ctx context.Context, replay schemas.Replay) {
	j := &job{Replay: r, logger: r.logger.With("replay", replay.ID)}
	pause := backoff.NewExponentialBackOff()
	for {
		started := time.Now()
		err := j.session(ctx, replay.ID)
		if err == nil || ctx.Err() != nil {
			return
		}
		isOver, err := j.giveUp(ctx, replay.ID, err)
		if isOver {
			return
		}
		if time.Since(started) > time.Minute {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		j.metrics.stumbles.Inc()
		j.logger.Error("a replay stopped, going on from what is committed", "in", wait.Round(time.Millisecond), "error", err)
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// hopelessError says why a replay can never go on.
type hopelessError struct{ err error }

func (e *hopelessError) Error() string { return e.err.Error() }

// giveUp pauses a replay that waits for the event log in vain, and ends one that is hopeless. Other errors it returns,
// and its own.
func (j *job) giveUp(ctx context.Context, id string, why error) (isOver bool, err error) {
	var behind *behindError
	var hopeless *hopelessError
	switch {
	case errors.As(why, &behind):
		j.logger.Error("a replay is paused", "error", why)
		err = j.change(ctx, "pausing", id, func(tx *catalog.Tx) error {
			_, err := tx.PauseReplay(id, why.Error())
			return err
		})
	case errors.As(why, &hopeless):
		j.logger.Error("a replay has failed", "error", why)
		err = j.change(ctx, "ending", id, func(tx *catalog.Tx) error {
			_, err := tx.FailReplay(id, why.Error())
			return err
		})
	default:
		return false, why
	}
	return err == nil, err
}

// session is one membership in the replay's group. It returns nil when the replay is completed.
func (j *job) session(ctx context.Context, id string) error {
	replay, found := j.catalog.Snapshot().Replay(id)
	if !found || replay.State != schemas.ReplayRunning {
		return nil
	}
	var err error
	if j.spec, err = compile(replay); err != nil {
		return &hopelessError{err}
	}
	w, err := newWalk(j.kafka, j.log, j.spec, j.parallel(), func() watcher { return nil }, j.logger)
	if err != nil {
		return err
	}
	defer w.close()
	if err := j.begin(ctx, w); err != nil {
		return err
	}
	m, err := join(j.kafka, j.spec.Replay, j.config.SessionTime, j.logger)
	if err != nil {
		return err
	}
	defer m.leave()
	defer j.metrics.ended(id)
	pace := newPace(j.spec.Replay)
	for {
		runs, isIdle, err := j.round(ctx, m, w, pace)
		if err != nil {
			return err
		}
		if !isIdle {
			if err := sleep(ctx, pace.after(runs)); err != nil {
				return err
			}
			continue
		}
		isCompleted, err := j.complete(ctx, m)
		if isCompleted || err != nil {
			return err
		}
		if err := sleep(ctx, idlePause); err != nil {
			return err
		}
	}
}

// parallel is how many partitions are evaluated at the same time.
func (j *job) parallel() int { return cmp.Or(j.config.Parallel, runtime.GOMAXPROCS(0)) }

// begin finds out what the replay reads, unless somebody has done so before.
func (j *job) begin(ctx context.Context, w *walk) error {
	if len(j.spec.Partitions) > 0 {
		return nil
	}
	ranges, err := plan(ctx, w.admin, j.log, w.topic, j.spec)
	if err != nil {
		return err
	}
	id, revision := j.spec.ID, j.spec.Revision
	err = j.writer.Change(ctx, func(tx *catalog.Tx) error {
		_, err := tx.PlanReplay(id, revision, ranges)
		return err
	})
	var stale *catalog.StaleError
	if err != nil && !errors.As(err, &stale) {
		return fmt.Errorf("beginning replay %s: %w", id, err)
	}
	j.spec.Replay, _ = j.catalog.Snapshot().Replay(id)
	if len(j.spec.Partitions) == 0 {
		return fmt.Errorf("beginning replay %s: somebody else has changed it", id)
	}
	return nil
}

// round does a part of the work on the partitions that are this process's now, and returns how many runs it has written.
// It is idle where there is nothing left to do on them.
func (j *job) round(ctx context.Context, m *member, w *walk, pace *pace) (runs int, isIdle bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.follow(ctx, w); err != nil {
		return 0, false, err
	}
	pace.share(w.partitions)
	chunks, err := w.step(ctx, pace.runs())
	if err != nil {
		return 0, false, err
	}
	if err := w.await(ctx, chunks, j.config.LogPatience); err != nil {
		return 0, false, err
	}
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := m.write(lasting, chunks); err != nil {
		return 0, false, err
	}
	if err := m.commit(lasting, chunks); err != nil {
		return 0, false, err
	}
	j.metrics.reached(j.spec.ID, chunks, w.partitions)
	for _, c := range chunks {
		runs += len(c.runs)
	}
	return runs, w.isDone(), nil
}

// complete ends the replay if all partitions are at their end, whoever has read them.
func (j *job) complete(ctx context.Context, m *member) (isCompleted bool, err error) {
	done, err := committed(ctx, m.admin, j.kafka, j.spec.ID)
	if err != nil || !isDone(j.spec.Replay, done) {
		return false, err
	}
	result := sum(j.spec.Replay, done)
	err = j.change(ctx, "completing", j.spec.ID, func(tx *catalog.Tx) error {
		_, err := tx.CompleteReplay(j.spec.ID, result)
		return err
	})
	return err == nil, err
}
