package console

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// routeReplays lists the pages of this part. Dry runs outlast a request and end with process.
func (w *Console) routeReplays(process context.Context, app fiber.Router) {
	app.Get("/replays", w.listReplays)
	app.Get("/replays/new", w.newReplay)
	app.Post("/replays", w.createReplay)
	app.Post("/replays/dry-run", w.dryRun(process))
	app.Post("/replays/dry-run/live", w.dryRunLive(process))
	app.Get("/replays/:id", w.showReplay)
	for name, change := range replayChanges() {
		app.Post("/replays/:id/"+name, w.changeReplay(change))
	}
}

// replaysPage is a page of the list of replays.
type replaysPage struct {
	list[api.Replay]
	States []option
}

func replayStates() []option {
	options := []option{}
	for _, state := range []schemas.ReplayState{
		schemas.ReplayRunning, schemas.ReplayPaused, schemas.ReplayCompleted, schemas.ReplayCancelled, schemas.ReplayFailed,
	} {
		options = append(options, option{string(state), words(state)})
	}
	return options
}

func (w *Console) listReplays(c *fiber.Ctx) error {
	found, err := find(c, listing[api.Replay]{path: "/replays", inputs: []string{"source", "environment", "state"}, read: (*api.Client).Replays})
	if err != nil {
		return err
	}
	return w.show(c, found.Status, page{
		Name: "replays", Title: "Replays", Section: "/replays", Notice: notice(c), Loading: found.Items.Loading, Content: replaysPage{found, replayStates()},
	})
}

// Rows are the replays as the page shows them.
func (p replaysPage) Rows() []replayView {
	rows := make([]replayView, len(p.Items.Value))
	for i, replay := range p.Items.Value {
		rows[i] = replayView{replay}
	}
	return rows
}

// refreshReplays is how often a page looks how far running replays are, in seconds.
const refreshReplays = "3"

// Refresh is when the page looks again: at once for a list that is still to come, "" for one in which nothing runs.
func (p replaysPage) Refresh() string {
	if p.Items.Loading {
		return "0"
	}
	for _, replay := range p.Items.Value {
		if replay.State == schemas.ReplayRunning {
			return refreshReplays
		}
	}
	return ""
}
