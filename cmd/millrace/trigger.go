package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

type triggerCommands struct {
	List       triggerList       `cmd:"" help:"List the triggers."`
	Get        triggerGet        `cmd:"" help:"Show one trigger."`
	Create     triggerCreate     `cmd:"" help:"Add a trigger."`
	Update     triggerUpdate     `cmd:"" help:"Change a trigger."`
	Delete     triggerDelete     `cmd:"" help:"Delete a trigger."`
	Copy       triggerCopy       `cmd:"" aliases:"promote" help:"Copy a trigger to another environment."`
	Activate   triggerActivate   `cmd:"" help:"Let a trigger create runs."`
	Deactivate triggerDeactivate `cmd:"" help:"Keep a trigger from creating runs."`
	Preview    triggerPreview    `cmd:"" help:"Say what a trigger would do with an event."`
}

// triggerRef names a trigger on the command line.
type triggerRef struct {
	Trigger string `arg:"" help:"The trigger: ENVIRONMENT/NAME, or its ID."`
}

// pageSize is how many triggers a request lists; the API's own default suits a screen.
const pageSize = "500"

// id asks the API for the ID behind a name.
func (t triggerRef) id(ctx context.Context, client *api.Client) (string, error) {
	environment, name, isName := strings.Cut(t.Trigger, "/")
	if !isName {
		return t.Trigger, nil
	}
	items, err := client.List(ctx, "/triggers", filter("environment", environment, "text", name, "limit", pageSize))
	if err != nil {
		return "", err
	}
	triggers, err := decoded[schemas.Trigger](items)
	if err != nil {
		return "", err
	}
	for _, trigger := range triggers {
		if trigger.Name == name {
			return trigger.ID, nil
		}
	}
	return "", fmt.Errorf("trigger %s: not found; `millrace trigger list --environment=%s` lists those there are", t.Trigger, environment)
}

// triggerSettings are what can be set. What is not given stays as it is.
type triggerSettings struct {
	Name        *string `help:"Its name, unique in the environment. Default: the workflow's key." env:"-"`
	Description *string `help:"For people." env:"-"`
	Source      *string `help:"The source, by name or ID." env:"-"`
	Event       *string `help:"The event's name, or * for every event." env:"-"`
	Workflow    *string `help:"The workflow's key." env:"-" placeholder:"KEY"`
	Condition   *string `help:"An expr-lang boolean; empty for always." env:"-" placeholder:"EXPRESSION"`
	Mapping     *string `help:"The mapping as JSON, or @FILE with it; {} for the defaults." env:"-" placeholder:"JSON"`
	Status      *string `help:"active or inactive." enum:"active,inactive" env:"-"`
}

func (s triggerSettings) changes() (changes, error) {
	all := changes{}
	all.text("name", s.Name)
	all.text("description", s.Description)
	all.text("source_id", s.Source)
	all.text("event", s.Event)
	all.text("workflow", s.Workflow)
	all.text("condition", s.Condition)
	all.text("status", s.Status)
	if s.Mapping == nil {
		return all, nil
	}
	mapping, err := jsonArgument("--mapping", *s.Mapping)
	if err != nil {
		return nil, err
	}
	all["mapping"] = mapping
	return all, nil
}

func writeTrigger(table *tabwriter.Writer, t schemas.Trigger) {
	mapping, err := json.Marshal(t.Mapping)
	if err != nil {
		mapping = []byte(err.Error())
	}
	row(table, "id", t.ID)
	row(table, "name", t.Name)
	row(table, "description", t.Description)
	row(table, "environment", t.Environment)
	row(table, "source", t.SourceID)
	row(table, "event", t.Event)
	row(table, "workflow", t.Workflow)
	row(table, "condition", zeroAs(t.Condition, "always"))
	row(table, "mapping", string(mapping))
	row(table, "status", t.Status)
	row(table, "revision", t.Revision)
}

type triggerList struct {
	Environment string       `help:"Only those in this environment." short:"e" env:"-" placeholder:"NAME"`
	Source      string       `help:"Only those of this source." env:"-" placeholder:"NAME"`
	Event       string       `help:"Only those bound to this event name." env:"-" placeholder:"NAME"`
	Workflow    string       `help:"Only those of this workflow." env:"-" placeholder:"KEY"`
	Status      string       `help:"Only those that are active, or inactive." env:"-" placeholder:"STATUS"`
	Client      clientConfig `embed:""`
	Output      outputConfig `embed:""`
}

// Help is shown by --help.
func (triggerList) Help() string {
	return "Example:\n\n  millrace trigger list -e production --source=shop"
}

// Run lists the triggers.
func (c *triggerList) Run(ctx bound, tty terminal) error {
	r, sources, err := c.Client.withSources(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	header := []any{"ENVIRONMENT", "NAME", "SOURCE", "EVENT", "WORKFLOW", "STATUS", "ID"}
	wanted := filter("environment", c.Environment, "source", c.Source, "event", c.Event, "workflow", c.Workflow, "status", c.Status, "limit", pageSize)
	return list(r, "/triggers", wanted, header, func(t schemas.Trigger) []any {
		return []any{t.Environment, t.Name, sources.name(t.SourceID), t.Event, t.Workflow, t.Status, t.ID}
	})
}

type triggerGet struct {
	Ref    triggerRef   `embed:""`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (triggerGet) Help() string {
	return "Example:\n\n  millrace trigger get production/big-order -o yaml"
}

// Run shows the trigger.
func (c *triggerGet) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	id, err := c.Ref.id(ctx, r.client)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("triggers", id)}, writeTrigger)
}

type triggerDelete struct {
	Ref    triggerRef   `embed:""`
	Delete deletion     `embed:""`
	Client clientConfig `embed:""`
}

// Help is shown by --help.
func (triggerDelete) Help() string {
	return "Example:\n\n  millrace trigger delete production/big-order --yes"
}

// Run deletes the trigger.
func (c *triggerDelete) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, outputConfig{}, tty)
	if err != nil {
		return err
	}
	id, err := c.Ref.id(ctx, r.client)
	if err != nil {
		return err
	}
	what := "trigger " + c.Ref.Trigger
	if err := c.Delete.confirm(ctx, tty, what, "What it started stays in the log."); err != nil {
		return err
	}
	return r.remove(api.Path("triggers", id), what)
}
