package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// Looking at replays, pausing, resuming and cancelling them.

// Replays is what the replay role can tell. How, the API does not know.
type Replays struct {
	// DryRun finds out what a replay would do and writes nothing. It calls tell, from one goroutine, with how far it is,
	// and ends early when ctx does.
	DryRun func(ctx context.Context, replay schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error)
	// Progress tells how far a replay is, or what came of it.
	Progress func(ctx context.Context, replay schemas.Replay) (schemas.ReplayProgress, error)
}

// Replay is a replay with how far it is.
type Replay struct {
	schemas.Replay
	Progress *ReplayProgress `json:"progress"` // nil in the answer to a change
}

// maxProgressCalls is how many replays of a list Kafka is asked about at once.
const maxProgressCalls = 4

// listReplays filters by source (ID or name), environment and state.
func (a *API) listReplays(c *fiber.Ctx) error {
	filter, err := a.replayFilter(c)
	if err != nil {
		return err
	}
	size, err := limit(c)
	if err != nil {
		return err
	}
	size = cmp.Or(size, query.DefaultLimit)
	found := a.reader.Snapshot().Replays()
	slices.Reverse(found)
	found = slices.DeleteFunc(found, func(r schemas.Replay) bool { return !filter.matches(r) })
	next := ""
	if len(found) > size {
		found = found[:size]
		next = place{found[size-1].CreatedAt, found[size-1].ID}.cursor()
	}
	shown, err := a.withProgress(c.UserContext(), found)
	if err != nil {
		return err
	}
	return c.JSON(page(shown, next))
}

// replayFilter says which replays are asked for. An empty member does not restrict.
type replayFilter struct {
	environment, sourceID string
	state                 schemas.ReplayState
	before                place
}

func (a *API) replayFilter(c *fiber.Ctx) (replayFilter, error) {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return replayFilter{}, err
	}
	before, err := parsePlace(c.Query("cursor"))
	if err != nil {
		return replayFilter{}, err
	}
	states := []schemas.ReplayState{
		schemas.ReplayRunning, schemas.ReplayPaused, schemas.ReplayCompleted, schemas.ReplayCancelled, schemas.ReplayFailed,
	}
	state := schemas.ReplayState(c.Query("state"))
	if state != "" && !slices.Contains(states, state) {
		return replayFilter{}, &query.FilterError{Field: "state", Message: fmt.Sprintf("must be one of %q", states)}
	}
	return replayFilter{c.Query("environment"), sourceID, state, before}, nil
}

func (f replayFilter) matches(r schemas.Replay) bool {
	return matches(f.environment, r.Environment) && matches(f.sourceID, r.SourceID) && matches(f.state, r.State) &&
		(f.before == place{} || f.before.compare(r.CreatedAt, r.ID) > 0)
}

// withProgress asks how far each replay is.
func (a *API) withProgress(ctx context.Context, replays []schemas.Replay) ([]Replay, error) {
	shown := make([]Replay, len(replays))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxProgressCalls)
	for i, replay := range replays {
		group.Go(func() error {
			now, err := a.replays.Progress(ctx, replay)
			if err != nil {
				return fmt.Errorf("asking how far replay %s is: %w", replay.ID, err)
			}
			made := a.paces.progress(replay, now)
			shown[i] = showReplay(replay)
			shown[i].Progress = &made
			return nil
		})
	}
	return shown, group.Wait()
}

// showReplay leaves out what the progress tells.
func showReplay(replay schemas.Replay) Replay {
	replay.Result = nil
	return Replay{Replay: replay}
}

func (a *API) getReplay(c *fiber.Ctx) error {
	found, err := replayAt(a.reader.Snapshot(), c.Params("id"), 0)
	if err != nil {
		return err
	}
	shown, err := a.withProgress(c.UserContext(), []schemas.Replay{found})
	if err != nil {
		return err
	}
	if !found.State.IsFinal() || found.Result == nil {
		c.Request().Header.Del(fiber.HeaderIfNoneMatch) // progress comes without a new revision
	}
	return answer(c, fiber.StatusOK, found.Revision, shown[0])
}

// replayAt finds a replay at a revision, 0 for any.
func replayAt(snapshot *catalog.Snapshot, id string, revision int64) (schemas.Replay, error) {
	found, exists := snapshot.Replay(id)
	if !exists {
		return found, fmt.Errorf("replay %q: %w", id, catalog.ErrNotFound)
	}
	return found, catalog.CheckRevision(revision, found.Revision)
}

func (a *API) pauseReplay(c *fiber.Ctx) error {
	return a.changeReplay(c, func(tx *catalog.Tx, id string) (schemas.Replay, error) { return tx.PauseReplay(id, "") })
}

func (a *API) resumeReplay(c *fiber.Ctx) error { return a.changeReplay(c, (*catalog.Tx).ResumeReplay) }

func (a *API) cancelReplay(c *fiber.Ctx) error { return a.changeReplay(c, (*catalog.Tx).CancelReplay) }

// changeReplay brings a replay into another state.
func (a *API) changeReplay(c *fiber.Ctx, change func(tx *catalog.Tx, id string) (schemas.Replay, error)) error {
	if err := decodeOptional(c, &struct{}{}); err != nil {
		return err
	}
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	var changed schemas.Replay
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		if _, err := replayAt(tx.Snapshot(), c.Params("id"), revision); err != nil {
			return err
		}
		changed, err = change(tx, c.Params("id"))
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, changed.Revision, showReplay(changed))
}
