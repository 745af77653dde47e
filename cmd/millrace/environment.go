package main

import (
	"cmp"
	"net/http"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

type environmentCommands struct {
	List   environmentList   `cmd:"" help:"List the environments."`
	Get    environmentGet    `cmd:"" help:"Show one environment."`
	Create environmentCreate `cmd:"" help:"Add an environment."`
	Update environmentUpdate `cmd:"" help:"Change or rename an environment."`
	Delete environmentDelete `cmd:"" help:"Remove an environment that is empty."`
}

// environmentSettings are what can be set. What is not given stays as it is.
type environmentSettings struct {
	Description *string  `help:"For people." env:"-"`
	Kind        *string  `help:"Who starts its runs: http, a workflow API, or none, where others consume the runs topic." enum:"http,none" env:"-" placeholder:"KIND"`
	BaseURL     *string  `help:"Base URL of its workflow API; empty for the dispatcher's settings." env:"-" placeholder:"URL"`
	APIKey      *string  `name:"api-key" help:"Where the workflow API's key is: env:NAME or file:PATH." env:"-" placeholder:"REF"`
	Concurrency *int     `help:"Requests at a time to the workflow API; 0 for the dispatcher's settings." env:"-" placeholder:"N"`
	RateLimit   *float64 `help:"Requests a second to the workflow API; 0 is unlimited." env:"-" placeholder:"N"`
	Order       *string  `help:"What a person's other runs do while one has to wait for long: relaxed, they go on, or strict, they wait." enum:"relaxed,strict" env:"-" placeholder:"ORDER"`
}

func (s environmentSettings) changes() changes {
	all, workflows := changes{}, changes{}
	all.text("description", s.Description)
	workflows.text("kind", s.Kind)
	workflows.text("base_url", s.BaseURL)
	workflows.text("api_key", s.APIKey)
	workflows.text("order", s.Order)
	if s.Concurrency != nil {
		workflows["concurrency"] = *s.Concurrency
	}
	if s.RateLimit != nil {
		workflows["rate_limit"] = *s.RateLimit
	}
	if len(workflows) > 0 {
		all["workflow_api"] = workflows
	}
	return all
}

func writeEnvironment(table *tabwriter.Writer, e schemas.Environment) {
	row(table, "name", e.Name)
	row(table, "description", e.Description)
	row(table, "revision", e.Revision)
	row(table, "workflow API", workflowAPIOf(e))
	row(table, "  kind", e.Workflows.Kind)
	row(table, "  key", e.Workflows.APIKeyRef)
	row(table, "  concurrency", zeroAs(e.Workflows.Concurrency, "dispatcher's settings"))
	row(table, "  requests a second", zeroAs(e.Workflows.RateLimit, "unlimited"))
	row(table, "  order", e.Workflows.Order)
}

func workflowAPIOf(e schemas.Environment) string {
	if e.Workflows.Kind == schemas.WorkflowNone {
		return "none, others consume the runs"
	}
	return cmp.Or(e.Workflows.BaseURL, "dispatcher's settings")
}

// zeroAs says what a zero means.
func zeroAs[T comparable](value T, meaning string) any {
	if value == *new(T) {
		return meaning
	}
	return value
}

type environmentList struct {
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (environmentList) Help() string { return "Example:\n\n  millrace env list -o yaml" }

// Run lists the environments.
func (c *environmentList) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return list(r, "/environments", nil, []any{"NAME", "KIND", "WORKFLOW API", "ORDER", "REVISION", "DESCRIPTION"}, func(e schemas.Environment) []any {
		return []any{e.Name, e.Workflows.Kind, workflowAPIOf(e), e.Workflows.Order, e.Revision, e.Description}
	})
}

type environmentGet struct {
	Name   string       `arg:"" help:"The environment."`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (environmentGet) Help() string { return "Example:\n\n  millrace env get production" }

// Run shows the environment.
func (c *environmentGet) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("environments", c.Name)}, writeEnvironment)
}

type environmentCreate struct {
	Name     string              `arg:"" help:"Its name."`
	Settings environmentSettings `embed:""`
	Client   clientConfig        `embed:""`
	Output   outputConfig        `embed:""`
}

// Help is shown by --help.
func (environmentCreate) Help() string {
	return "Example:\n\n  millrace env create staging --base-url=https://api.knock.app --api-key=env:KNOCK_STAGING"
}

// Run adds the environment.
func (c *environmentCreate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	body := c.Settings.changes()
	body["name"] = c.Name
	return show(r, api.Call{Method: http.MethodPost, Path: "/environments", Body: body}, writeEnvironment)
}

type environmentUpdate struct {
	Name     string              `arg:"" help:"The environment."`
	Rename   *string             `help:"Its new name. Endpoint keys and triggers stay with it." env:"-" placeholder:"NAME"`
	Settings environmentSettings `embed:""`
	Guard    revisionConfig      `embed:""`
	Client   clientConfig        `embed:""`
	Output   outputConfig        `embed:""`
}

// Help is shown by --help.
func (environmentUpdate) Help() string {
	return "Example:\n\n  millrace env update staging --rename=preview --rate-limit=50"
}

// Run changes the environment.
func (c *environmentUpdate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	body := c.Settings.changes()
	body.text("name", c.Rename)
	if err := body.needAny(); err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodPatch, Path: api.Path("environments", c.Name), Body: body, Revision: c.Guard.IfRevision}, writeEnvironment)
}

type environmentDelete struct {
	Name   string       `arg:"" help:"The environment. No trigger may be in it, nor an endpoint that is not disabled."`
	Delete deletion     `embed:""`
	Client clientConfig `embed:""`
}

// Help is shown by --help.
func (environmentDelete) Help() string { return "Example:\n\n  millrace env delete staging --yes" }

// Run removes the environment.
func (c *environmentDelete) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, outputConfig{}, tty)
	if err != nil {
		return err
	}
	what := "environment " + c.Name
	if err := c.Delete.confirm(ctx, tty, what, "Its endpoint keys are lost for good."); err != nil {
		return err
	}
	return r.remove(api.Path("environments", c.Name), what)
}
