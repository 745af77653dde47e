package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/millrace/millrace/api"
)

type replayList struct {
	Source      string       `help:"Only of this source, by name or ID." env:"-" placeholder:"SOURCE"`
	Environment string       `help:"Only of this environment." short:"e" aliases:"env" env:"-" placeholder:"NAME"`
	State       string       `help:"Only in this state: running, paused, completed, cancelled or failed." env:"-" placeholder:"STATE"`
	Limit       int          `help:"How many at most, 1 to 500." default:"50" env:"-"`
	Client      clientConfig `embed:""`
	Output      outputConfig `embed:""`
}

// Help is shown by --help.
func (replayList) Help() string {
	return "Example:\n\n  millrace replay list -e production --state=running"
}

// Run lists the replays.
func (c *replayList) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	query := filter("source", c.Source, "environment", c.Environment, "state", c.State, "limit", strconv.Itoa(c.Limit))
	return page(r, "/replays", query, []any{"REPLAY", "STATE", "DONE", "SOURCE", "ENVIRONMENT", "FROM", "TO", "RUNS", "LEFT"}, func(p api.Replay) []any {
		cells := []any{p.ID, p.State, "", p.Source, p.Environment, stamp(p.From), stamp(p.To), "", ""}
		if now := p.Progress; now != nil {
			cells[2], cells[7] = percent(now.Percent/100), now.Created
			if now.SecondsLeft != nil {
				cells[8] = seconds(*now.SecondsLeft)
			}
		}
		return cells
	})
}

// replayRef names a replay on the command line.
type replayRef struct {
	ID     string       `arg:"" name:"replay" help:"The replay's ID."`
	Client clientConfig `embed:""`
	Output outputConfig `embed:""`
}

type replayGet struct {
	Replay replayRef `embed:""`
	Follow bool      `help:"Show how far it is until it has ended. Ctrl-C leaves it running." short:"f" aliases:"wait" env:"-"`
}

// Help is shown by --help.
func (replayGet) Help() string {
	return "Example:\n\n  millrace replay get rpl_0193a1b2c3d4e5f60718293a4b5c6d7e --follow"
}

// Run shows the replay.
func (c *replayGet) Run(ctx bound, tty terminal) error {
	r, err := c.Replay.Client.resource(ctx, c.Replay.Output, tty)
	if err != nil {
		return err
	}
	if c.Follow {
		return followReplay(r, c.Replay.ID)
	}
	return show(r, api.Call{Method: http.MethodGet, Path: api.Path("replays", c.Replay.ID)}, writeReplay)
}

// replayChange brings a replay into the state that the command's name says.
type replayChange struct {
	Replay   replayRef      `embed:""`
	Revision revisionConfig `embed:""`
}

// Help is shown by --help.
func (replayChange) Help() string {
	const id = "rpl_0193a1b2c3d4e5f60718293a4b5c6d7e"
	return "Examples:\n\n  millrace replay pause " + id + "\n  millrace replay resume " + id + "\n  millrace replay cancel " + id
}

// Run changes the replay.
func (c *replayChange) Run(ctx bound, tty terminal, line *kong.Context) error {
	r, err := c.Replay.Client.resource(ctx, c.Replay.Output, tty)
	if err != nil {
		return err
	}
	path := api.Path("replays", c.Replay.ID, line.Selected().Name)
	return show(r, api.Call{Method: http.MethodPost, Path: path, Revision: c.Revision.IfRevision}, writeReplay)
}

func writeReplay(table *tabwriter.Writer, p api.Replay) {
	row(table, "id", p.ID)
	row(table, "state", replayState(p))
	row(table, "source", p.Source)
	row(table, "environment", p.Environment)
	row(table, "from", stamp(p.From))
	row(table, "to", stamp(p.To))
	row(table, "events", zeroAs(strings.Join(p.Events, ", "), "all that the triggers are bound to"))
	row(table, "where", zeroAs(p.Where, "always"))
	row(table, "statuses", zeroAs(strings.Trim(fmt.Sprint(p.Statuses), "[]"), "all but duplicate"))
	for _, t := range p.Triggers {
		row(table, "trigger", fmt.Sprintf("%s of %s to %s", zeroAs(t.Name, t.ID), t.Event, t.Workflow))
	}
	row(table, "rate", rateText(p.Rate))
	if p.Generation != 0 {
		row(table, "forced", "as generation "+strconv.FormatInt(p.Generation, 10))
	}
	row(table, "revision", p.Revision)
	row(table, "made", stamp(p.CreatedAt)+" by "+p.Actor)
	if !p.StartedAt.IsZero() {
		row(table, "begun", stamp(p.StartedAt))
	}
	if !p.EndedAt.IsZero() {
		row(table, "ended", stamp(p.EndedAt))
	}
	if now := p.Progress; now != nil {
		row(table, "done", fmt.Sprintf("%s, %d of %d%s", percent(now.Percent/100), now.Done, now.Total, pace(*now)))
		writeReplayCounts(table, now.ReplayProgress, "runs created", "runs that existed already")
	}
}

func rateText(runsPerSecond float64) string {
	if runsPerSecond == 0 {
		return "unlimited"
	}
	return strconv.FormatFloat(runsPerSecond, 'f', -1, 64) + " runs/s"
}

// replayState is the state of a replay with the reason, where there is one.
func replayState(p api.Replay) string {
	return strings.TrimSuffix(fmt.Sprintf("%s: %s", p.State, p.Reason), ": ")
}
