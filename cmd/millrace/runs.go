package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

type runCommands struct {
	List runList `cmd:"" default:"withargs" help:"List runs, newest first."`
	Get  runGet  `cmd:"" help:"Show one with its inputs and every attempt."`
}

// Help is shown by --help.
func (runCommands) Help() string {
	return "Without a command it lists: `millrace runs list --help` has the filters."
}

type runList struct {
	Scope     logScope `embed:""`
	Workflow  string   `help:"Only of this workflow." env:"-" placeholder:"KEY"`
	Status    string   `help:"Only with this status: pending, retrying, delivered, dead or published." env:"-" placeholder:"STATUS"`
	Event     string   `name:"event-id" help:"Only of this event." env:"-" placeholder:"ID"`
	Trigger   string   `help:"Only of this trigger, by ID." env:"-" placeholder:"ID"`
	Recipient string   `help:"Only with this recipient." env:"-" placeholder:"ID"`
	Tenant    string   `help:"Only of this tenant." env:"-" placeholder:"ID"`
	Replay    string   `help:"Only those that this replay made." env:"-" placeholder:"ID"`
	Page      listing  `embed:""`
}

// Help is shown by --help.
func (runList) Help() string {
	return "Example:\n\n  millrace runs -e production --workflow=welcome --status=retrying --since=1h"
}

// Run lists the runs.
func (c *runList) Run(ctx bound, tty terminal) error {
	r, err := c.Page.Client.resource(ctx, c.Page.Output, tty)
	if err != nil {
		return err
	}
	members := c.Scope.members("workflow", c.Workflow, "status", c.Status, "event_id", c.Event, "trigger", c.Trigger, "recipient", c.Recipient,
		"tenant", c.Tenant, "replay", c.Replay, "limit", c.Page.limit())
	return page(r, "/runs", members, []any{"CREATED", "STATUS", "ENVIRONMENT", "WORKFLOW", "RECIPIENTS", "EVENT", "RUN"}, func(run query.RunItem) []any {
		return []any{stamp(run.CreatedAt), run.Status, run.Environment, run.Workflow, recipients(run.Recipients), run.EventID, run.ID}
	})
}

// recipients names the first one and counts the others.
func recipients(all []json.RawMessage) string {
	if len(all) == 0 {
		return "-"
	}
	var first string
	var object struct{ ID string }
	if json.Unmarshal(all[0], &first) != nil && json.Unmarshal(all[0], &object) == nil {
		first = object.ID
	}
	if len(all) == 1 {
		return first
	}
	return fmt.Sprintf("%s and %d more", first, len(all)-1)
}

type runGet struct {
	ID     string       `arg:"" name:"run" help:"The run's ID."`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (runGet) Help() string {
	return "Example:\n\n  millrace runs get 5f0c6a8e-6b0e-5d3c-9a53-2f1f3f1d9d11"
}

// Run shows the run.
func (c *runGet) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("runs", c.ID)}, writeRun)
}

func writeRun(table *tabwriter.Writer, run query.RunDetail) {
	row(table, "run", run.ID)
	row(table, "status", run.Status)
	row(table, "environment", run.Environment)
	row(table, "workflow", run.Workflow)
	row(table, "trigger", run.TriggerID)
	row(table, "event", run.EventID)
	row(table, "received", stamp(run.ReceivedAt))
	row(table, "created", stamp(run.CreatedAt))
	encoded, err := json.Marshal(run.Recipients)
	if err == nil {
		row(table, "recipients", string(encoded))
	}
	row(table, "actor", string(run.Actor))
	row(table, "tenant", string(run.Tenant))
	row(table, "data", string(run.Data))
	fmt.Fprintln(table)
	row(table, "ATTEMPT", "AT", "OUTCOME", "STATUS", "MS", "ERROR", "ANSWER")
	for _, a := range run.Attempts {
		row(table, a.Attempt, stamp(a.AttemptedAt), a.Outcome, zeroAs(a.StatusCode, "-"), milliseconds(a.LatencyMs), a.Error, a.Response)
	}
}
