package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// replayPage is a replay and how far it is.
type replayPage struct {
	replayView
	Form form // of what can be done with it
}

func (w *Console) showReplay(c *fiber.Ctx) error {
	return w.showReplayAs(c, fiber.StatusOK, form{})
}

func (w *Console) showReplayAs(c *fiber.Ctx, status int, posted form) error {
	found, err := visitorOf(c).client.Replay(c.UserContext(), unescaped(c, "id"))
	if err != nil {
		return err
	}
	title := "Replay of " + found.Source
	return w.show(c, status, page{Name: "replay", Title: title, Section: "/replays", Notice: notice(c), Content: replayPage{replayView{found}, posted}})
}

// Refreshes tells whether more is to come: also the counts of one that was ended a moment ago.
func (p replayPage) Refreshes() bool {
	return p.State == schemas.ReplayRunning || p.State.IsFinal() && p.HasBegun() && time.Since(p.EndedAt) < settlesWithin
}

// settlesWithin is how soon after its end what came of a replay is known for good.
const settlesWithin = 15 * time.Second

// IsPaused tells whether it can be resumed.
func (p replayPage) IsPaused() bool { return p.State == schemas.ReplayPaused }

// IsRunning tells whether it can be paused.
func (p replayPage) IsRunning() bool { return p.State == schemas.ReplayRunning }

// HasFailed tells whether it has ended for a reason of its own.
func (p replayPage) HasFailed() bool { return p.State == schemas.ReplayFailed }

// IsOver tells whether nothing can be done with it.
func (p replayPage) IsOver() bool { return p.State.IsFinal() }

// replayChange is what a button on the page of a replay does.
type replayChange struct {
	call func(*api.Client, context.Context, string, int64) (api.Replay, error)
	done string
}

// replayChanges are the changes by the last part of their address.
func replayChanges() map[string]replayChange {
	return map[string]replayChange{
		"pause":  {(*api.Client).PauseReplay, "replay-paused"},
		"resume": {(*api.Client).ResumeReplay, "replay-resumed"},
		"cancel": {(*api.Client).CancelReplay, "replay-cancelled"},
	}
}

// changeReplay makes a change, and shows what the replay is now where the API refuses it.
func (w *Console) changeReplay(change replayChange) fiber.Handler {
	return func(c *fiber.Ctx) error {
		posted := readForm(c)
		revision, _ := strconv.ParseInt(posted.Value("revision"), 10, 64)
		id := unescaped(c, "id")
		_, err := change.call(visitorOf(c).client, c.UserContext(), id, revision)
		if err == nil {
			return done(c, "/replays/"+url.PathEscape(id), change.done)
		}
		status, shown := posted.refuse(err)
		if !shown {
			return err
		}
		if status == http.StatusPreconditionFailed {
			posted.Problem = "The replay has changed since this page was loaded. What it is now stands below."
		}
		return w.showReplayAs(c, status, posted)
	}
}
