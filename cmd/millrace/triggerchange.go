package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// The commands that change triggers.

// jsonArgument reads JSON that is given on the command line, or as @FILE.
func jsonArgument(flag, text string) (json.RawMessage, error) {
	content := []byte(text)
	if path, isFile := strings.CutPrefix(text, "@"); isFile {
		read, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", flag, err)
		}
		content = read
	}
	if !json.Valid(content) {
		return nil, fmt.Errorf("%s: this is not valid JSON; give JSON, or @FILE with it", flag)
	}
	return content, nil
}

// change sends changes of a trigger and shows what it is then.
func (t triggerRef) change(ctx context.Context, r resource, body changes, revision int64) error {
	id, err := t.id(ctx, r.client)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodPatch, Path: api.Path("triggers", id), Body: body, Revision: revision}, writeTrigger)
}

type triggerCreate struct {
	Environment string          `help:"Where it is." short:"e" required:"" env:"-" placeholder:"NAME"`
	Settings    triggerSettings `embed:""`
	Client      clientConfig    `embed:""`
	Output      outputConfig    `embed:""`
}

// Help is shown by --help.
func (triggerCreate) Help() string {
	return "Example:\n\n  millrace trigger create -e production --source=shop --event='Order Completed' --workflow=big-order " +
		`--condition='data.total > 100' --mapping='{"data":{"order":"data.order_id"}}'`
}

// Run adds the trigger.
func (c *triggerCreate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	body, err := c.Settings.changes()
	if err != nil {
		return err
	}
	for flag, member := range map[string]string{"source": "source_id", "event": "event", "workflow": "workflow"} {
		if body[member] == nil {
			return fmt.Errorf("--%s is missing; a trigger needs --source, --event and --workflow", flag)
		}
	}
	body["environment"] = c.Environment
	return show(r, api.Call{Method: http.MethodPost, Path: "/triggers", Body: body}, writeTrigger)
}

type triggerUpdate struct {
	Ref      triggerRef      `embed:""`
	Settings triggerSettings `embed:""`
	Guard    revisionConfig  `embed:""`
	Client   clientConfig    `embed:""`
	Output   outputConfig    `embed:""`
}

// Help is shown by --help.
func (triggerUpdate) Help() string {
	return "Example:\n\n  millrace trigger update production/big-order --condition='data.total > 200'"
}

// Run changes the trigger.
func (c *triggerUpdate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	body, err := c.Settings.changes()
	if err != nil {
		return err
	}
	if err := body.needAny(); err != nil {
		return err
	}
	return c.Ref.change(ctx, r, body, c.Guard.IfRevision)
}

type triggerActivate struct {
	Ref    triggerRef     `embed:""`
	Guard  revisionConfig `embed:""`
	Client clientConfig   `embed:""`
	Output outputConfig   `embed:""`
}

// Help is shown by --help.
func (triggerActivate) Help() string {
	return "Example:\n\n  millrace trigger activate production/big-order"
}

// Run activates the trigger.
func (c *triggerActivate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return c.Ref.change(ctx, r, changes{"status": schemas.TriggerActive}, c.Guard.IfRevision)
}

type triggerDeactivate struct {
	Ref    triggerRef     `embed:""`
	Guard  revisionConfig `embed:""`
	Client clientConfig   `embed:""`
	Output outputConfig   `embed:""`
}

// Help is shown by --help.
func (triggerDeactivate) Help() string {
	return "Example:\n\n  millrace trigger deactivate production/big-order"
}

// Run deactivates the trigger.
func (c *triggerDeactivate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return c.Ref.change(ctx, r, changes{"status": schemas.TriggerInactive}, c.Guard.IfRevision)
}

type triggerCopy struct {
	Ref    triggerRef   `embed:""`
	To     string       `help:"The environment it is copied to." required:"" env:"-" placeholder:"NAME"`
	Status string       `help:"The copy's status: active or inactive." enum:"active,inactive" default:"inactive" env:"-"`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (triggerCopy) Help() string {
	return "The copy is inactive unless --status says otherwise: look at it, then activate it.\n\n" +
		"Example:\n\n  millrace trigger promote development/big-order --to=production"
}

// Run copies the trigger.
func (c *triggerCopy) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	id, err := c.Ref.id(ctx, r.client)
	if err != nil {
		return err
	}
	body := changes{"environment": c.To, "status": c.Status}
	return show(r, api.Call{Method: http.MethodPost, Path: api.Path("triggers", id, "copy"), Body: body}, writeTrigger)
}
