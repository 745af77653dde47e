package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

type deadLetterCommands struct {
	List   deadLetterList   `cmd:"" help:"List the runs that were given up, newest first."`
	Get    deadLetterGet    `cmd:"" help:"Show one with its request, the answer and every attempt."`
	Resend deadLetterResend `cmd:"" help:"Send runs again that were given up."`
}

// deadLetterFilter describes dead letters.
type deadLetterFilter struct {
	Environment string `help:"Only of this environment." short:"e" env:"-" placeholder:"NAME"`
	Source      string `help:"Only of this source, by name or ID." env:"-" placeholder:"SOURCE"`
	Workflow    string `help:"Only of this workflow." env:"-" placeholder:"KEY"`
	State       string `help:"Only in this state: open, resent or delivered." env:"-" placeholder:"STATE"`
	StatusCode  *int   `help:"Only with this status of the last answer; 0 for those without an answer." env:"-" placeholder:"CODE"`
	Text        string `help:"Only with this in the error or the answer." env:"-" placeholder:"TEXT"`
	Since       string `help:"Given up since: a time, or how long ago, such as 24h." env:"-" placeholder:"WHEN"`
	Until       string `help:"Given up before: a time, or how long ago." env:"-" placeholder:"WHEN"`
}

// members are the parameters that were given.
func (f deadLetterFilter) members() url.Values {
	given := filter("environment", f.Environment, "source", f.Source, "workflow", f.Workflow, "state", f.State, "text", f.Text,
		"since", f.Since, "until", f.Until)
	if f.StatusCode != nil {
		given.Set("status_code", strconv.Itoa(*f.StatusCode))
	}
	return given
}

// resend asks for those that it describes to be sent again.
func (f deadLetterFilter) resend() api.ResendRequest {
	return api.ResendRequest{
		Environment: f.Environment, Source: f.Source, Workflow: f.Workflow, State: query.DeadLetterState(f.State), StatusCode: f.StatusCode,
		Text: f.Text, Since: f.Since, Until: f.Until,
	}
}

type deadLetterList struct {
	Filter deadLetterFilter `embed:""`
	Limit  int              `help:"How many at most, 1 to 500." default:"50" env:"-"`
	Client clientConfig     `embed:""`
	Output outputConfig     `embed:""`
}

// Help is shown by --help.
func (deadLetterList) Help() string {
	return "A run is open until it is tried again, resent from then on, and delivered when the workflow API has taken it.\n\n" +
		"Example:\n\n  millrace dead-letter list -e production --workflow=welcome --state=open --since=24h"
}

// Run lists the dead letters.
func (c *deadLetterList) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	wanted := c.Filter.members()
	wanted.Set("limit", strconv.Itoa(c.Limit))
	return page(r, "/dead-letters", wanted, []any{"RUN", "ENVIRONMENT", "WORKFLOW", "STATE", "STATUS", "GIVEN UP", "ERROR"}, func(d query.DeadLetterItem) []any {
		return []any{d.RunID, d.Environment, d.Workflow, d.State, zeroAs(d.StatusCode, "-"), stamp(d.LastAttemptedAt), d.Error}
	})
}

// stamp is a time as tables show it.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

type deadLetterGet struct {
	ID     string       `arg:"" name:"run" help:"The run's ID."`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (deadLetterGet) Help() string {
	return "Example:\n\n  millrace dead-letter get 5f0c6a8e-6b0e-5d3c-9a53-2f1f3f1d9d11"
}

// Run shows the dead letter.
func (c *deadLetterGet) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("dead-letters", c.ID)}, writeDeadLetter)
}

func writeDeadLetter(table *tabwriter.Writer, d query.DeadLetterDetail) {
	row(table, "run", d.RunID)
	row(table, "event", d.EventID)
	row(table, "environment", d.Environment)
	row(table, "source", d.SourceID)
	row(table, "workflow", d.Workflow)
	row(table, "trigger", d.TriggerID)
	row(table, "state", d.State)
	row(table, "error", d.Error)
	row(table, "answer", d.Response)
	row(table, "request", string(d.Request))
	fmt.Fprintln(table)
	row(table, "ATTEMPT", "AT", "OUTCOME", "STATUS", "MS", "ERROR")
	for _, a := range d.Attempts {
		row(table, a.Attempt, stamp(a.AttemptedAt), a.Outcome, zeroAs(a.StatusCode, "-"), milliseconds(a.LatencyMs), a.Error)
	}
}

type deadLetterResend struct {
	Runs   []string         `arg:"" optional:"" name:"run" help:"IDs of the runs; without any, the flags say which."`
	Filter deadLetterFilter `embed:""`
	Yes    bool             `help:"Send several without asking." short:"y" env:"-"`
	Client clientConfig     `embed:""`
	Output outputConfig     `embed:""`
}

// Help is shown by --help.
func (deadLetterResend) Help() string {
	return "Runs keep their IDs and the bytes of their requests. What was delivered is not sent again. Without --state, those that are open are sent.\n\n" +
		"Examples:\n\n  millrace dead-letter resend 5f0c6a8e-6b0e-5d3c-9a53-2f1f3f1d9d11\n" +
		"  millrace dead-letter resend -e production --workflow=welcome --status-code=401 --yes"
}

// Run sends runs again.
func (c *deadLetterResend) Run(ctx bound, tty terminal) error {
	described := c.Filter.members()
	switch {
	case len(c.Runs) > 0 && len(described) > 0:
		return errors.New("give either IDs of runs or flags that describe them")
	case len(c.Runs) == 0 && c.Filter.Environment == "":
		return errors.New("say which runs: give their IDs, or --environment=NAME and what else describes them")
	}
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	if len(c.Runs) != 1 && !c.Yes {
		if err := tty.confirm(ctx, c.question()); err != nil {
			return err
		}
	}
	done, err := c.send(r)
	if err != nil {
		return err
	}
	return r.output.write(tty.out, done, func(table *tabwriter.Writer) error {
		fmt.Fprintf(table, "%d sent again.\n", done.Resent)
		for _, id := range done.Delivered {
			row(table, id, "was delivered since and is not sent again")
		}
		for _, id := range done.NotFound {
			row(table, id, "has no dead letter")
		}
		return nil
	})
}

func (c *deadLetterResend) question() string {
	if len(c.Runs) > 0 {
		return fmt.Sprintf("Send %d runs again?", len(c.Runs))
	}
	return "Send every run again that `millrace dead-letter list` shows with these flags?"
}

// send asks until nothing is left. What was sent before an error stays sent, which the error says.
func (c *deadLetterResend) send(r resource) (api.Resent, error) {
	asked := c.Filter.resend()
	asked.RunIDs = c.Runs
	all := api.Resent{Delivered: []string{}, NotFound: []string{}}
	for {
		answer, err := r.client.ResendDeadLetters(r.ctx, asked)
		if err != nil && all.Resent > 0 {
			err = fmt.Errorf("after %d were sent again: %w", all.Resent, err)
		}
		if err != nil {
			return all, err
		}
		all.Resent += answer.Resent
		all.Delivered, all.NotFound = append(all.Delivered, answer.Delivered...), append(all.NotFound, answer.NotFound...)
		if answer.NextCursor == nil {
			return all, nil
		}
		asked.Cursor = *answer.NextCursor
	}
}
