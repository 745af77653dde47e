package console

import (
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// environmentPage is an environment: how its deliveries went, what is in it, and its settings.
type environmentPage struct {
	Environment schemas.Environment
	Usage       part[usage]
	Latency     part[[]query.LatencyItem] // of the last day, by workflow
	Form        form
	Deletion    form
}

// Workflows are those that the page has room for.
func (p environmentPage) Workflows() []query.LatencyItem {
	return p.Latency.Value[:min(shownWorkflows, len(p.Latency.Value))]
}

// MoreWorkflows is how many there are besides.
func (p environmentPage) MoreWorkflows() int { return len(p.Latency.Value) - len(p.Workflows()) }

// Sum adds the workflows up. Quantiles cannot be added.
func (p environmentPage) Sum() query.LatencyItem {
	var sum query.LatencyItem
	for _, item := range p.Latency.Value {
		sum.Delivered, sum.Retrying, sum.Dead = sum.Delivered+item.Delivered, sum.Retrying+item.Retrying, sum.Dead+item.Dead
	}
	return sum
}

func (w *Console) showEnvironment(c *fiber.Ctx) error {
	shown, err := w.readEnvironment(c)
	if err != nil {
		return err
	}
	return w.showEnvironmentAs(c, fiber.StatusOK, shown)
}

func (w *Console) showEnvironmentAs(c *fiber.Ctx, status int, shown environmentPage) error {
	return w.show(c, status, page{
		Name: "environment", Title: shown.Environment.Name, Section: "/settings", Tab: "/settings", Notice: notice(c),
		Loading: shown.Latency.Loading || shown.Usage.Loading, Content: shown,
	})
}

// readEnvironment reads what the page of an environment shows, its form filled with what is.
func (w *Console) readEnvironment(c *fiber.Ctx) (environmentPage, error) {
	var shown environmentPage
	client, name := visitorOf(c).client, unescaped(c, "name")
	limited, cancel := inTime(c)
	defer cancel()
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		shown.Environment, err = client.Environment(ctx, name)
		return err
	})
	group.Go(func() error {
		counted, err := countUsage(limited, client)
		return shown.Usage.ask(limited, counted[name], err)
	})
	group.Go(func() error {
		found, err := client.Latency(limited, url.Values{"environment": {name}, "since": {"24h"}, "interval": {string(query.All)}})
		return shown.Latency.ask(limited, worstFirst(found.Items), err)
	})
	err := group.Wait()
	shown.Form.Values = environmentValues(shown.Environment)
	return shown, err
}

// environmentInputs are the inputs of its form.
func environmentInputs() []string {
	return []string{
		"name", "description", "workflow_api.kind", "workflow_api.base_url", "workflow_api.api_key", "workflow_api.order",
		"workflow_api.concurrency", "workflow_api.rate_limit",
	}
}

// environmentValues are the settings as the inputs of the form hold them; what is left to the dispatcher is empty.
func environmentValues(of schemas.Environment) url.Values {
	workflows := of.Workflows
	return url.Values{
		"name": {of.Name}, "description": {of.Description},
		"workflow_api.kind": {string(workflows.Kind)}, "workflow_api.base_url": {workflows.BaseURL}, "workflow_api.api_key": {workflows.APIKeyRef},
		"workflow_api.order":       {string(workflows.Order)},
		"workflow_api.concurrency": {orEmpty(float64(workflows.Concurrency))}, "workflow_api.rate_limit": {orEmpty(workflows.RateLimit)},
	}
}

// orEmpty writes a number as an input takes it, nothing for 0.
func orEmpty(n float64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// Kinds are by whom runs are started.
func (environmentPage) Kinds() []option {
	return []option{
		{string(schemas.WorkflowHTTP), "http (default): a workflow API is called"},
		{string(schemas.WorkflowNone), "none: nobody is called"},
	}
}

// Orders are what happens to a person's runs while one waits.
func (environmentPage) Orders() []option {
	return []option{
		{string(schemas.RelaxedOrder), "relaxed (default): the others go on"},
		{string(schemas.StrictOrder), "strict: they wait for it"},
	}
}
