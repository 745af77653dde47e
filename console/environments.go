package console

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// environmentsPage is the list of environments.
type environmentsPage struct {
	Environments []schemas.Environment
	Usage        part[map[string]usage] // by environment
}

// usage is what is in an environment.
type usage struct {
	Endpoints int // one for each source that has one there
	Disabled  int // of those, or their sources are
	Workflows int
	Triggers  int
	Active    int // of the triggers
}

func (w *Console) listEnvironments(c *fiber.Ctx) error {
	var shown environmentsPage
	client := visitorOf(c).client
	limited, cancel := inTime(c)
	defer cancel()
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		shown.Environments, err = listOf[schemas.Environment](ctx, client, "/environments", nil)
		return err
	})
	group.Go(func() error {
		counted, err := countUsage(limited, client)
		return shown.Usage.ask(limited, counted, err)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return w.show(c, fiber.StatusOK, page{
		Name: "environments", Title: "Environments", Section: "/settings", Tab: "/settings", Notice: notice(c), Loading: shown.Usage.Loading, Content: shown,
	})
}

// countUsage counts what is in each environment. Triggers may be many, so that the API counts them, by workflow.
func countUsage(ctx context.Context, client *api.Client) (map[string]usage, error) {
	var sources []api.Source
	var workflows []api.Workflow
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		sources, err = listOf[api.Source](ctx, client, "/sources", nil)
		return err
	})
	group.Go(func() (err error) {
		workflows, err = listOf[api.Workflow](ctx, client, "/workflows", nil)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	counted := map[string]usage{}
	for _, source := range sources {
		for environment, endpoint := range source.Endpoints {
			used := counted[environment]
			used.Endpoints++
			if source.Disabled || endpoint.Disabled {
				used.Disabled++
			}
			counted[environment] = used
		}
	}
	for _, workflow := range workflows {
		used := counted[workflow.Environment]
		used.Workflows++
		used.Triggers += workflow.Triggers
		used.Active += workflow.Active
		counted[workflow.Environment] = used
	}
	return counted, nil
}
