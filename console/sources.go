package console

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// sourcesPage is the list of sources.
type sourcesPage struct {
	Sources []api.Source
	Traffic part[map[string]traffic] // by source ID
}

// traffic is what a source had to do lately.
type traffic struct {
	Last  time.Time // when its last event came; zero where none did
	Event string    // the last one's name
	Total uint64    // events within a day
	Spark string    // those by the hour, as the path of a drawing
}

func (w *Console) listSources(c *fiber.Ctx) error {
	var shown sourcesPage
	client := visitorOf(c).client
	limited, cancel := inTime(c)
	defer cancel()
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		shown.Sources, err = listOf[api.Source](ctx, client, "/sources", nil)
		return err
	})
	group.Go(func() error {
		found, err := trafficOf(limited, client)
		return shown.Traffic.ask(limited, found, err)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return w.show(c, fiber.StatusOK, page{Name: "sources", Title: "Sources", Section: "/sources", Notice: notice(c), Loading: shown.Traffic.Loading, Content: shown})
}

func trafficOf(ctx context.Context, client *api.Client) (map[string]traffic, error) {
	found := map[string]traffic{}
	counted, err := client.Series(ctx, url.Values{"by": {"source"}, "interval": {string(query.Hour)}, "since": {"24h"}, "top": {"50"}})
	if err != nil {
		return nil, err
	}
	for _, counts := range counted.Series {
		if counts.Value != nil {
			found[*counts.Value] = traffic{Total: counts.Total, Spark: spark(counts.Counts)}
		}
	}
	names, err := client.EventNames(ctx, url.Values{"limit": {"500"}}) // those seen last come first
	if err != nil {
		return nil, err
	}
	for _, name := range names.Items {
		of := found[name.SourceID]
		if of.Last.Before(name.LastSeen) {
			of.Last, of.Event = name.LastSeen, name.Event
		}
		found[name.SourceID] = of
	}
	return found, nil
}

// newSourcePage is the form of a source to be.
type newSourcePage struct{ Form form }

func (w *Console) newSource(c *fiber.Ctx) error {
	return w.show(c, fiber.StatusOK, page{Name: "newsource", Title: "New source", Section: "/sources", Content: newSourcePage{}})
}

func (w *Console) createSource(c *fiber.Ctx) error {
	posted := readForm(c)
	var created api.Source
	call := api.Call{Method: http.MethodPost, Path: "/sources", Body: map[string]any{
		"name": posted.Value("name"), "description": posted.Value("description"),
	}}
	if err := visitorOf(c).client.Do(c.UserContext(), call, &created); err != nil {
		status, shown := posted.refuse(err, "name", "description")
		if !shown {
			return err
		}
		return w.show(c, status, page{Name: "newsource", Title: "New source", Section: "/sources", Content: newSourcePage{posted}})
	}
	return done(c, "/sources/"+url.PathEscape(created.ID), "created")
}

// notices are what a page says of what has just been done, by the name that its address has for it.
func notices() map[string]string {
	return map[string]string{
		"created": "The source is there. Its endpoints take events now.",
		"saved":   "Saved. Ingest and the processor know within a second.",
		"rotated": "The endpoint has a new URL. Give it to whoever posts events there.",
		"deleted": "The source is deleted. What it received stays in the log.",

		"environment-created": "The environment is there, and each source has an endpoint in it. Triggers are made or copied there next.",
		"environment-saved":   "Saved. The dispatcher knows within a second.",
		"environment-deleted": "The environment is deleted. What happened in it stays in the log.",
		"resent":              "The run is sent again. What becomes of it shows here within seconds.",
		"not-resent":          "The run was not sent again: it has been delivered meanwhile.",
		"trigger-created":     "The trigger is there. The processor asks it about events within a second.",
		"trigger-saved":       "Saved. The processor decides by it within a second.",
		"trigger-activated":   "The trigger is active: events that it takes start runs from now on.",
		"trigger-deactivated": "The trigger is inactive: it starts no runs until it is activated again.",
		"trigger-copied":      "This is the copy. It is inactive: look it over, then activate it.",
		"trigger-deleted":     "The trigger is deleted. The runs that it started stay in the log.",
		"trigger-restored":    "The trigger is what it was at that revision, but for being active or not, which stays as it is.",
		"trigger-same":        "Nothing was changed: the trigger is what it was at that revision.",
		"replay-started":      "The replay is ordered. It begins within seconds.",
		"replay-paused":       "The replay is paused. What was under way is finished first; nothing is lost or doubled.",
		"replay-resumed":      "The replay goes on where it was.",
		"replay-cancelled":    "The replay is cancelled. The runs that it has created stay.",
	}
}

func notice(c *fiber.Ctx) string { return notices()[c.Query("done")] }

// done sends the browser to the page that shows what has been done, so that loading it again does not do it again.
func done(c *fiber.Ctx, path, what string) error {
	return c.Redirect(path+"?done="+what, fiber.StatusSeeOther)
}
