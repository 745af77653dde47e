package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// routeRuns lists the pages of this part.
func (w *Console) routeRuns(app fiber.Router) {
	app.Get("/runs", w.listRuns)
	app.Get("/runs/:id", w.showRun)
	app.Post("/runs/:id/resend", w.resendRun)
	app.Get("/dead-letters", w.listDeadLetters)
	app.Post("/dead-letters", w.resendChosen)
	app.Get("/dead-letters/resend", w.askToResend)
	app.Post("/dead-letters/resend", w.resendFound)
	app.Get("/dead-letters/:id", func(c *fiber.Ctx) error { return c.Redirect("/runs/" + url.PathEscape(unescaped(c, "id"))) })
}

// runsPage is a search among the runs.
type runsPage struct {
	list[query.RunItem]
	Triggers map[string]string // names by ID
}

// runRow is a row of the table of runs.
type runRow struct {
	query.RunItem
	Source  string // name
	Trigger string // name
	Who     recipients
}

// Rows are the runs as the table has them.
func (p runsPage) Rows() []runRow {
	rows := make([]runRow, len(p.Items.Value))
	for i, run := range p.Items.Value {
		rows[i] = runRow{run, p.Choices.SourceName(run.SourceID), nameOr(p.Triggers, run.TriggerID), recipientsOf(run.Recipients)}
	}
	return rows
}

// Statuses are how far a run can have got.
func (p runsPage) Statuses() []option {
	return optionsNamed(query.Pending, query.Retrying, query.Delivered, query.Dead, query.Published)
}

// optionsNamed are choices that are named as the API names them.
func optionsNamed[T ~string](values ...T) []option {
	options := make([]option, len(values))
	for i, value := range values {
		options[i] = option{string(value), words(value)}
	}
	return options
}

// runFilters are the parameters of the API that a search can have.
func runFilters() []string {
	return []string{"source", "environment", "workflow", "status", "recipient", "tenant", "trigger", "event_id", "replay", "since", "until"}
}

func (w *Console) listRuns(c *fiber.Ctx) error {
	defaults := url.Values{"since": {"24h"}}
	if c.Query("event_id") != "" || c.Query("replay") != "" {
		defaults = nil // the event may be as old as the log
	}
	found, err := find(c, listing[query.RunItem]{"/runs", runFilters(), defaults, (*api.Client).Runs})
	if err != nil {
		return err
	}
	shown := runsPage{list: found}
	ids := map[string]bool{}
	for _, run := range found.Items.Value {
		ids[run.TriggerID] = true
	}
	shown.Triggers = triggerNames(c.UserContext(), visitorOf(c).client, sortedKeys(ids))
	return w.show(c, found.Status, page{Name: "runs", Title: "Runs", Section: "/runs", Tab: "/runs", Loading: found.Items.Loading, Content: shown})
}

// triggersAtOnce is how many triggers are asked for side by side.
const triggersAtOnce = 10

// triggerNames finds the names of triggers. One that cannot be had, for it may have been deleted, is left out.
func triggerNames(ctx context.Context, client *api.Client, ids []string) map[string]string {
	found := make([]schemas.Trigger, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(triggersAtOnce)
	for i, id := range ids {
		group.Go(func() error {
			if err := client.Get(ctx, api.Path("triggers", id), &found[i]); err != nil && !refusedWith(err, http.StatusNotFound) {
				return err // the others would fail as well
			}
			return nil
		})
	}
	_ = group.Wait() // a page without names is better than none
	names := map[string]string{}
	for i, trigger := range found {
		if trigger.Name != "" {
			names[ids[i]] = trigger.Name
		}
	}
	return names
}

func nameOr(names map[string]string, id string) string {
	if name, known := names[id]; known {
		return name
	}
	return id
}

// recipients are whom a run is for, as a row has room for them.
type recipients struct {
	First string // ID
	More  int    // besides
}

func recipientsOf(all []json.RawMessage) recipients {
	if len(all) == 0 {
		return recipients{}
	}
	var id string
	var object struct{ ID string }
	if json.Unmarshal(all[0], &id) != nil && json.Unmarshal(all[0], &object) == nil {
		id = object.ID
	}
	return recipients{id, len(all) - 1}
}
