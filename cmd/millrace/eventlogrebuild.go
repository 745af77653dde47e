package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

type eventlogRebuild struct {
	Topic      []string        `help:"Only the table of this topic, named without the prefix; all tables otherwise." env:"-" placeholder:"TOPIC"`
	From       string          `help:"Read what Kafka has since then, and take older rows from the old table: a time such as 2026-11-20T00:00Z, or how long ago, such as 24h; all reads whatever Kafka has." default:"all" env:"-"`
	Keep       bool            `help:"Keep the old tables, as NAME_before_rebuild." env:"-"`
	Continue   bool            `help:"Go on after a rebuild that was broken off. Only where no other one is running." env:"-"`
	Yes        bool            `help:"Do not ask." env:"-"`
	Kafka      kafka.Config    `embed:"" prefix:"kafka-"`
	ClickHouse eventlog.Config `embed:"" prefix:"clickhouse-"`
	Output     outputConfig    `embed:""`
}

// Help is shown by --help.
func (eventlogRebuild) Help() string {
	return "Each table is made anew as this version's migrations say, and filled: with the rows of all records that Kafka still has, and with the old table's rows of those that it no longer has. " +
		"Then the two are swapped in one step, what was written meanwhile is added, and the result is verified record by record. Only then the old table is deleted. " +
		"It is kept as NAME_before_rebuild where it has rows that Kafka should have and has not, or where the new one is not exact, which is exit status 1.\n\n" +
		"The event log may go on writing meanwhile. ClickHouse needs room for a table twice. When it is broken off, nothing is lost: --continue begins anew, or goes on where the tables were swapped already. " +
		"The ClickHouse inside millrace dev takes no writes from outside, and so cannot be rebuilt.\n\n" +
		"Examples:\n\n  millrace eventlog rebuild --topic=events --keep\n  millrace eventlog rebuild --from=2026-11-20T00:00Z --yes -o json"
}

// Run rebuilds and prints one line for each table.
func (c *eventlogRebuild) Run(global *Global, ctx bound, tty terminal) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	what := eventlog.Rebuilding{Topics: c.Topic, Keep: c.Keep, Continue: c.Continue}
	if c.From != "all" {
		if what.From, err = earliest(c.From, time.Now()); err != nil {
			return err
		}
	}
	if err := needBrokers(c.Kafka); err != nil {
		return err
	}
	if err := c.confirm(ctx, tty); err != nil {
		return err
	}
	conn, err := eventlog.Connect(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	all := []eventlog.Rebuilt{}
	progress := offsetsBar("rebuilding")
	err = eventlog.Rebuild(ctx, c.Kafka, c.ClickHouse, conn, what, eventlog.RebuildProgress{
		Step: func(table, step string) { progress.Describe(table + ": " + step) },
		Read: func(offsets int64) { _ = progress.Add64(offsets) }, // a bar that cannot be drawn is no reason to stop
		Done: func(r eventlog.Rebuilt) { all = append(all, r) },
	}, logger)
	_ = progress.Finish()
	if err != nil && len(all) == 0 {
		return err
	}
	if err := c.Output.write(tty.out, all, func(table *tabwriter.Writer) error { return writeRebuilt(table, all) }); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	for _, r := range all {
		if !r.IsExact() {
			return exitStatus(exitFailed)
		}
	}
	return nil
}

// earliest reads a time, or how long ago.
func earliest(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	at, err := schemas.ParseTimestamp(text)
	if err != nil {
		return at, fmt.Errorf("--from: %q is neither all, nor a time such as 2026-11-20T00:00Z, nor how long ago, such as 24h", text)
	}
	return at, nil
}

func (c *eventlogRebuild) confirm(ctx bound, tty terminal) error {
	if c.Yes {
		return nil
	}
	which := "every table"
	if len(c.Topic) > 0 {
		which = "the tables of " + strings.Join(c.Topic, ", ")
	}
	return tty.confirm(ctx, fmt.Sprintf("This makes %s of database %s anew and deletes the old.", which, c.ClickHouse.Database()))
}

func writeRebuilt(table *tabwriter.Writer, all []eventlog.Rebuilt) error {
	row(table, "TABLE", "RECORDS", "COPIED", "CAUGHT UP", "SECONDS", "ROWS/S", "RESULT")
	for _, r := range all {
		rows := r.Records + r.Copied + r.Caught
		row(table, r.Table, r.Records, r.Copied, r.Caught, fmt.Sprintf("%.1f", r.Seconds), fmt.Sprintf("%.0f", float64(rows)/r.Seconds), outcome(r))
	}
	return nil
}

func outcome(r eventlog.Rebuilt) string {
	result := "exact"
	for _, v := range r.Proof {
		if !v.IsExact() {
			result = fmt.Sprintf("%s, partition %d: %s", v.Topic, v.Partition, verdict(v))
			break
		}
	}
	if r.Unknown > 0 {
		result += fmt.Sprintf("; %d old rows are not in Kafka", r.Unknown)
	}
	if r.Kept != "" {
		result += "; the old table is " + r.Kept
	}
	return result
}
