package console

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// choices are what a filter can be set to.
type choices struct {
	Sources      []option // by ID
	Environments []option
	Statuses     []option
}

// choicesFor reads what a filter can be set to.
func choicesFor(ctx context.Context, client *api.Client) (choices, error) {
	found := choices{Statuses: statusOptions()}
	var sources []api.Source
	var environments []schemas.Environment
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		sources, err = listOf[api.Source](ctx, client, "/sources", nil)
		return err
	})
	group.Go(func() (err error) {
		environments, err = listOf[schemas.Environment](ctx, client, "/environments", nil)
		return err
	})
	if err := group.Wait(); err != nil {
		return found, err
	}
	found.Sources = sourceOptions(sources)
	for _, environment := range environments {
		found.Environments = append(found.Environments, option{environment.Name, environment.Name})
	}
	return found, nil
}

// sourceOptions are sources as choices, by ID.
func sourceOptions(sources []api.Source) []option {
	options := make([]option, len(sources))
	for i, source := range sources {
		options[i] = option{source.ID, source.Name}
	}
	return options
}

// SourceName is the source's name, or the ID of one that was deleted.
func (c choices) SourceName(id string) string {
	for _, source := range c.Sources {
		if source.Value == id {
			return source.Name
		}
	}
	return id
}

func statusOptions() []option {
	options := []option{}
	for _, status := range []schemas.Status{schemas.Processed, schemas.Duplicate, schemas.NoTrigger, schemas.Failed} {
		options = append(options, option{string(status), words(status)})
	}
	return options
}

// listNames answers a script with the names of events that were seen, for an input to suggest. Counting them takes time
// with many events, so that no page waits for it.
func (w *Console) listNames(c *fiber.Ctx) error {
	asked := with(filterOf(c, []string{"source", "environment"}), "limit", "200")
	seen, err := visitorOf(c).client.EventNames(c.UserContext(), asked)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, name := range seen.Items {
		known[name.Event] = true
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(sortedKeys(known))
}
