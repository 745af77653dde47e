package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

type replayCreate struct {
	Source       string       `help:"The source of the events, by name or ID." required:"" env:"-" placeholder:"SOURCE"`
	Environment  string       `help:"Their environment." short:"e" required:"" aliases:"env" env:"-" placeholder:"NAME"`
	From         string       `help:"Events received from then on: a time such as 2026-11-20T00:00Z, or how long ago, such as 24h." required:"" env:"-" placeholder:"WHEN"`
	To           string       `help:"And before then; now at the latest." default:"now" env:"-" placeholder:"WHEN"`
	Events       []string     `name:"event" help:"Only events with this name; can be repeated. Default: all that the triggers are bound to." sep:"none" env:"-" placeholder:"NAME"`
	Where        string       `help:"Only events of which this expr-lang boolean is true, such as 'data.total > 100'." env:"-" placeholder:"EXPRESSION"`
	Statuses     []string     `name:"status" help:"Only events of this status: processed, duplicate, no_trigger or failed; can be repeated, and any is all. Default: all but duplicate." env:"-" placeholder:"STATUS"`
	Triggers     []string     `name:"trigger" help:"A trigger to go through, active or not, by name or ID; can be repeated." sep:"none" env:"-" placeholder:"TRIGGER"`
	TriggerFiles []string     `name:"trigger-file" help:"A file as apply takes it: the triggers of the source and environment in it; can be repeated. One with the name of a trigger that exists is a draft of that." sep:"none" env:"-" placeholder:"FILE"`
	Rate         *float64     `help:"Runs a second at most; 0 is unlimited. Default: 500." env:"-" placeholder:"N"`
	Force        bool         `help:"Make the runs anew that exist already, under other IDs." env:"-"`
	DryRun       bool         `help:"Say what would come of it, and create nothing." env:"-"`
	Follow       bool         `help:"Show how far it is until it has ended. Ctrl-C leaves it running." short:"f" aliases:"wait" env:"-"`
	Yes          bool         `help:"Create it without asking." short:"y" env:"-"`
	Client       clientConfig `embed:""`
	Output       outputConfig `embed:""`
}

// Help is shown by --help.
func (replayCreate) Help() string {
	return "On a terminal, a dry run comes first, then a question; --yes, or an input that is no terminal, leaves out both. " +
		"Runs that exist already are skipped. The rate is for the runs, which have a lane of their own behind live ones.\n\n" +
		"With --follow the exit status is 0 once the replay is completed, and 1 when it is paused, cancelled or has failed.\n\n" +
		"Examples:\n\n  millrace replay create --source=app -e production --from=2026-11-20T00:00Z --event='Order Completed' --trigger=big-order --dry-run\n\n" +
		"  millrace replay create --source=app -e production --from=24h --status=failed --trigger-file=catalog/triggers.yaml --follow"
}

// Run orders the replay, or a dry run.
func (c *replayCreate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	triggers, err := c.triggers(r)
	if err != nil {
		return err
	}
	body := c.body(triggers)
	if c.DryRun {
		found, err := askDryRun(r, body)
		if err != nil {
			return err
		}
		return r.output.write(tty.out, found, func(table *tabwriter.Writer) error { return writeDryRun(table, found, triggers) })
	}
	if tty.isInteractive && !c.Yes {
		if err := c.confirm(r, body); err != nil {
			return err
		}
	}
	created, err := r.client.CreateReplay(ctx, body, rand.Text())
	if err != nil {
		return err
	}
	if c.Follow {
		return followReplay(r, created.ID)
	}
	return r.output.write(tty.out, created, func(table *tabwriter.Writer) error {
		writeReplay(table, created)
		return nil
	})
}

// confirm shows what a dry run finds, and asks. What was shown is what is replayed: "now" stays what it was.
func (c *replayCreate) confirm(r resource, body changes) error {
	found, err := askDryRun(r, body)
	if err != nil {
		return err
	}
	columns := tabwriter.NewWriter(r.tty.err, 0, 4, 2, ' ', 0)
	writeDryRunCounts(columns, found)
	if err := columns.Flush(); err != nil {
		return err
	}
	if found.Created == 0 {
		fmt.Fprintln(r.tty.err, "No run would be created; nothing was done.")
		return exitStatus(0)
	}
	body["from"], body["to"] = found.From, found.To
	return r.tty.confirm(r.ctx, fmt.Sprintf("Create %d runs?", found.Created))
}

// askDryRun makes a dry run and shows how far it is.
func askDryRun(r resource, body changes) (api.DryRun, error) {
	meter := newMeter(r.tty, "dry run")
	found, err := r.client.DryRun(r.ctx, body, meter.show)
	if err != nil {
		meter.leave()
		return found, err
	}
	meter.end(api.ReplayProgress{ReplayProgress: found.ReplayProgress, Percent: found.Percent()})
	return found, nil
}

func (c *replayCreate) body(triggers []replayTrigger) changes {
	body := changes{"source": c.Source, "environment": c.Environment, "from": c.From, "to": c.To, "triggers": triggers, "force": c.Force}
	if len(c.Events) > 0 {
		body["events"] = c.Events
	}
	if c.Where != "" {
		body["where"] = c.Where
	}
	if len(c.Statuses) > 0 {
		body["statuses"] = c.Statuses
	}
	if c.Rate != nil {
		body["rate"] = *c.Rate
	}
	return body
}

// replayTrigger is a trigger of the catalog, or one of a file.
type replayTrigger struct {
	label string
	sent  any
}

// MarshalJSON writes what the API gets.
func (t replayTrigger) MarshalJSON() ([]byte, error) { return json.Marshal(t.sent) }

// triggers finds those that are named and those in the files.
func (c *replayCreate) triggers(r resource) ([]replayTrigger, error) {
	all := []replayTrigger{}
	for _, name := range c.Triggers {
		id, err := triggerRef{name}.id(r.ctx, r.client)
		if err != nil {
			return nil, err
		}
		all = append(all, replayTrigger{name, id})
	}
	if len(c.TriggerFiles) == 0 {
		return all, nil
	}
	source, err := r.client.Source(r.ctx, c.Source)
	if err != nil {
		return nil, fmt.Errorf("finding the source: %w", err)
	}
	known, err := c.saved(r)
	if err != nil {
		return nil, err
	}
	for _, path := range c.TriggerFiles {
		m, err := filesConfig{Files: []string{path}}.read(r.tty)
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, t := range m.Triggers {
			if t.Environment != c.Environment || t.Source != source.Name {
				continue
			}
			given := changes{"name": t.Name, "event": t.Event, "workflow": t.Workflow, "condition": t.Condition, "mapping": t.Mapping}
			if id, isDraft := known[t.Name]; isDraft {
				given["id"] = id
			}
			all = append(all, replayTrigger{t.Name, given})
		}
		if len(all) == before {
			return nil, fmt.Errorf("--trigger-file %s: it has no trigger of source %s in %s", path, source.Name, c.Environment)
		}
	}
	return all, nil
}

// saved returns the IDs of the triggers that exist, by name.
func (c *replayCreate) saved(r resource) (map[string]string, error) {
	items, err := r.client.List(r.ctx, "/triggers", filter("environment", c.Environment, "limit", pageSize))
	if err != nil {
		return nil, err
	}
	triggers, err := decoded[schemas.Trigger](items)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, t := range triggers {
		ids[t.Name] = t.ID
	}
	return ids, nil
}
