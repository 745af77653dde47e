package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// OrderedReplayID is the ID of the replay that an order makes, the same each time the order comes. The parts tell it from
// all others.
func OrderedReplayID(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part) // so that no two orders are written alike
	}
	return replayIDPrefix + hex.EncodeToString(hash.Sum(nil)[:16])
}

// CreateReplay saves a new replay, which runs from then on, under the ID that it has or else a new one. See CheckReplay
// for what it must have. With Generation other than 0 it gets a generation of its own. Conditions and mappings must have
// been compiled before. Where many have been kept, the oldest that has ended is forgotten.
func (tx *Tx) CreateReplay(replay schemas.Replay) (schemas.Replay, error) {
	replay, err := tx.view.CheckReplay(replay, tx.at)
	if err != nil {
		return replay, err
	}
	if _, exists := tx.view.Replay(replay.ID); exists {
		return replay, &InUseError{fmt.Sprintf("replay %s exists already", replay.ID)}
	}
	if err := tx.makeRoom(); err != nil {
		return replay, err
	}
	if replay.ID == "" {
		replay.ID = newID(replayIDPrefix)
	}
	replay.State, replay.Actor = schemas.ReplayRunning, tx.actor
	replay.Reason, replay.Partitions, replay.Result = "", nil, nil
	replay.Revision, replay.CreatedAt, replay.UpdatedAt = 1, tx.at, tx.at
	if replay.Generation != 0 {
		replay.Generation = tx.nextGeneration()
	}
	return replay, tx.put(schemas.CatalogEntry{Replay: &replay})
}

// makeRoom forgets the oldest replay that has ended where there are as many as are kept.
func (tx *Tx) makeRoom() error {
	open := 0
	var oldest *schemas.Replay
	for _, replay := range tx.view.replays.all() {
		if !replay.State.IsFinal() {
			open++
		} else if oldest == nil || olderReplay(replay, oldest) < 0 {
			oldest = replay
		}
	}
	if open >= maxOpenReplays {
		return &InUseError{fmt.Sprintf("%d replays have not ended, which is the limit; wait for one of them or cancel it", open)}
	}
	if tx.view.replays.size < maxReplays {
		return nil
	}
	return tx.remove(replayKey(oldest.ID))
}

// nextGeneration returns a number that no replay has had: the time, and more than the last one where that is ahead.
func (tx *Tx) nextGeneration() int64 {
	next := tx.at.UnixMilli()
	for _, replay := range tx.view.replays.all() {
		next = max(next, replay.Generation+1)
	}
	return next
}

// PlanReplay notes what a replay reads, which begins it. It fails with a *StaleError where somebody else has changed the
// replay since the revision.
func (tx *Tx) PlanReplay(id string, revision int64, ranges []schemas.ReplayRange) (schemas.Replay, error) {
	return tx.changeReplay(id, "begun", func(replay *schemas.Replay) error {
		if err := CheckRevision(revision, replay.Revision); err != nil {
			return err
		}
		replay.Partitions, replay.StartedAt = ranges, tx.at
		return nil
	}, schemas.ReplayRunning)
}

// PauseReplay lets a running replay rest. Reason says why where nobody has asked for it.
func (tx *Tx) PauseReplay(id, reason string) (schemas.Replay, error) {
	return tx.changeReplay(id, "paused", func(replay *schemas.Replay) error {
		replay.State, replay.Reason = schemas.ReplayPaused, reason
		return nil
	}, schemas.ReplayRunning)
}

// ResumeReplay lets a paused replay go on.
func (tx *Tx) ResumeReplay(id string) (schemas.Replay, error) {
	return tx.changeReplay(id, "resumed", func(replay *schemas.Replay) error {
		replay.State, replay.Reason = schemas.ReplayRunning, ""
		return nil
	}, schemas.ReplayPaused)
}

// CancelReplay ends a replay for good. What it has created stays. Its result follows, see SettleReplay.
func (tx *Tx) CancelReplay(id string) (schemas.Replay, error) {
	return tx.changeReplay(id, "cancelled", func(replay *schemas.Replay) error {
		replay.State, replay.Reason, replay.EndedAt = schemas.ReplayCancelled, "", tx.at
		if len(replay.Partitions) == 0 {
			replay.Result = new(schemas.ReplayProgress)
		}
		return nil
	}, schemas.ReplayRunning, schemas.ReplayPaused)
}

// CompleteReplay ends a replay that has read everything.
func (tx *Tx) CompleteReplay(id string, result schemas.ReplayProgress) (schemas.Replay, error) {
	return tx.changeReplay(id, "completed", func(replay *schemas.Replay) error {
		replay.State, replay.EndedAt, replay.Result = schemas.ReplayCompleted, tx.at, &result
		return nil
	}, schemas.ReplayRunning)
}

// FailReplay ends a replay that cannot go on, and says why. Its result follows, see SettleReplay.
func (tx *Tx) FailReplay(id, reason string) (schemas.Replay, error) {
	return tx.changeReplay(id, "failed", func(replay *schemas.Replay) error {
		replay.State, replay.Reason, replay.EndedAt = schemas.ReplayFailed, reason, tx.at
		if len(replay.Partitions) == 0 {
			replay.Result = new(schemas.ReplayProgress)
		}
		return nil
	}, schemas.ReplayRunning, schemas.ReplayPaused)
}

// SettleReplay notes what came of a replay that was cancelled or has failed, once that is known. A second time it does
// nothing.
func (tx *Tx) SettleReplay(id string, result schemas.ReplayProgress) (schemas.Replay, error) {
	if known, _ := tx.view.Replay(id); known.Result != nil {
		return known, nil
	}
	return tx.changeReplay(id, "settled", func(replay *schemas.Replay) error {
		replay.Result = &result
		return nil
	}, schemas.ReplayCancelled, schemas.ReplayFailed)
}

// changeReplay saves the next revision of a replay that is in one of the states.
func (tx *Tx) changeReplay(id, what string, change func(*schemas.Replay) error, in ...schemas.ReplayState) (schemas.Replay, error) {
	replay, exists := tx.view.Replay(id)
	if !exists {
		return replay, fmt.Errorf("replay %q: %w", id, ErrNotFound)
	}
	if !slices.Contains(in, replay.State) {
		return replay, &InUseError{fmt.Sprintf("replay %s is %s and cannot be %s", id, replay.State, what)}
	}
	if err := change(&replay); err != nil {
		return replay, err
	}
	replay.Revision, replay.UpdatedAt = replay.Revision+1, tx.at
	return replay, tx.put(schemas.CatalogEntry{Replay: &replay})
}

// noReplay refuses to take away what replays need that have not ended.
func (tx *Tx) noReplay(what string, needs func(*schemas.Replay) bool) error {
	for id, replay := range tx.view.replays.all() {
		if !replay.State.IsFinal() && needs(replay) {
			return &InUseError{fmt.Sprintf("%s: replay %s is not over; wait for it or cancel it first", what, id)}
		}
	}
	return nil
}

// Replay finds a replay by its ID.
func (s *Snapshot) Replay(id string) (schemas.Replay, bool) { return found(s.replays.get(id)) }

// Replays lists the replays, oldest first.
func (s *Snapshot) Replays() []schemas.Replay { return sorted(&s.replays, olderReplay) }

func olderReplay(a, b *schemas.Replay) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}
