package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

type eventCommands struct {
	List eventList `cmd:"" default:"withargs" help:"List events, newest first; with --follow, show them as they come."`
	Get  eventGet  `cmd:"" help:"Show one with everything that happened to it."`
}

// Help is shown by --help.
func (eventCommands) Help() string {
	return "Without a command it lists: `millrace events list --help` has the filters."
}

// eventFilter describes events.
type eventFilter struct {
	Scope     logScope `embed:""`
	Event     string   `help:"Only with this name." env:"-" placeholder:"NAME"`
	Status    string   `help:"Only with this status: processed, duplicate, no_trigger or failed." env:"-" placeholder:"STATUS"`
	MessageID string   `help:"Only with this message ID." env:"-" placeholder:"ID"`
	UserID    string   `help:"Only of this user." env:"-" placeholder:"ID"`
	Where     []string `help:"Only where a property is so, such as properties.total>100; can be repeated." sep:"none" env:"-" placeholder:"CONDITION"`
	Text      string   `name:"q" help:"Only with this text in the body, in whole words; ASCII letters in any case." short:"q" env:"-" placeholder:"TEXT"`
}

// members are the parameters that were given.
func (f eventFilter) members() url.Values {
	given := f.Scope.members("event", f.Event, "status", f.Status, "message_id", f.MessageID, "user_id", f.UserID, "q", f.Text)
	if len(f.Where) > 0 {
		given["where"] = f.Where
	}
	return given
}

type eventList struct {
	Filter eventFilter `embed:""`
	Follow bool        `help:"Show events as they come, each when it was decided about, until ctrl-C. With --since, from then on." short:"f" env:"-"`
	Page   listing     `embed:""`
}

// Help is shown by --help.
func (eventList) Help() string {
	return "Examples:\n\n  millrace events --source=shop --since=1h --where='properties.total>100'\n" +
		"  millrace events --status=failed -e production -o json\n  millrace events --follow --event='Order Completed'\n\n" +
		"An event that is undecided for 2 s is shown as it is, and once more when it was decided about."
}

// Run lists the events, or follows them.
func (c *eventList) Run(ctx bound, tty terminal) error {
	if c.Follow && c.Filter.Scope.Until != "" {
		return errors.New("--follow has no end: leave --until out")
	}
	if c.Follow && c.Page.Output.Output == "yaml" {
		return errors.New("--follow writes a table, or with -o json one JSON object a line")
	}
	r, sources, err := c.Page.Client.withSources(ctx, c.Page.Output, tty)
	if err != nil {
		return err
	}
	if c.Follow {
		return newFollower(r, c.Filter, sources).run()
	}
	members := c.Filter.members()
	members.Set("limit", c.Page.limit())
	return page(r, "/events", members, []any{"RECEIVED", "STATUS", "ENVIRONMENT", "SOURCE", "EVENT", "USER", "MESSAGE ID", "ID"}, func(e query.EventItem) []any {
		return []any{stamp(e.ReceivedAt), statusOf(e), e.Environment, sources.name(e.SourceID), e.Event, e.UserID, e.MessageID, e.ID}
	})
}

// statusOf is an event's status as tables show it.
func statusOf(e query.EventItem) string {
	if e.Status == "" {
		return "undecided"
	}
	return string(e.Status)
}

type eventGet struct {
	ID     string       `arg:"" name:"event" help:"The event's ID."`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

// Help is shown by --help.
func (eventGet) Help() string {
	return "Example:\n\n  millrace events get 01934b2e-6b1a-7c3d-8e4f-a1b2c3d4e5f6"
}

// Run shows the event.
func (c *eventGet) Run(ctx bound, tty terminal) error {
	r, sources, err := c.Client.withSources(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("events", c.ID)}, func(table *tabwriter.Writer, e api.Event) {
		writeEvent(table, e, sources)
	})
}

func writeEvent(table *tabwriter.Writer, e api.Event, sources sourceNames) {
	row(table, "event", e.Event)
	row(table, "id", e.ID)
	row(table, "status", statusOf(e.EventItem))
	row(table, "environment", e.Environment)
	row(table, "source", sources.name(e.SourceID))
	row(table, "user", e.UserID)
	row(table, "message ID", e.MessageID)
	row(table, "received", stamp(e.ReceivedAt))
	row(table, "timestamp", stamp(e.Timestamp))
	row(table, "body", e.Body)
	for _, note := range e.Notes {
		row(table, "note", note)
	}
	fmt.Fprintln(table)
	row(table, "AFTER", "STEP", "OUTCOME", "OF", "ABOUT IT")
	for _, step := range e.Timeline {
		row(table, since(step.AfterMs), stepName(step), step.Outcome, stepSubject(step), stepDetail(step))
	}
}

// since is how long after the event something happened.
func since(ms float64) string {
	return time.Duration(ms * float64(time.Millisecond)).Round(time.Millisecond).String()
}

func stepName(step query.Step) string {
	if step.Attempt > 0 {
		return fmt.Sprintf("%s %d", step.Step, step.Attempt)
	}
	return string(step.Step)
}

// stepSubject is what a step was about besides the event.
func stepSubject(step query.Step) string {
	switch {
	case step.DuplicateOf != "":
		return step.DuplicateOf
	case step.RunID != "" && step.Step != query.TriggerAsked:
		return step.RunID
	default:
		return step.TriggerID
	}
}

func stepDetail(step query.Step) string {
	var parts []string
	if step.Workflow != "" {
		parts = append(parts, step.Workflow)
	}
	if step.StatusCode > 0 {
		parts = append(parts, strconv.Itoa(step.StatusCode))
	}
	if step.LatencyMs > 0 {
		parts = append(parts, milliseconds(step.LatencyMs)+" ms")
	}
	if step.Message != "" {
		parts = append(parts, step.Message)
	}
	return strings.Join(parts, ", ")
}
