package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/telemetry"
)

type eventlogCommands struct {
	Run     eventlogRun     `cmd:"" default:"withargs" help:"Run the role that writes everything to ClickHouse; it is what eventlog alone does."`
	Verify  eventlogVerify  `cmd:"" help:"Prove against Kafka that ClickHouse has every record, and none twice."`
	Rebuild eventlogRebuild `cmd:"" help:"Make tables of ClickHouse anew from Kafka, and swap them with the old ones."`
}

type eventlogRun struct {
	Kafka      kafka.Config          `embed:"" prefix:"kafka-"`
	ClickHouse eventlog.Config       `embed:"" prefix:"clickhouse-"`
	Admin      telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8084'"`
}

// Run runs the event log's writer until a signal.
func (c *eventlogRun) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	if err := needBrokers(c.Kafka); err != nil {
		return err
	}
	return withAdmin(ctx, c.Admin, logger, []string{"eventlog"}, func(ctx context.Context, admin *admin) error {
		return startEventlog(ctx, c.ClickHouse, c.Kafka, admin, logger)
	})
}

type migrateCommand struct {
	ClickHouse eventlog.Config `embed:"" prefix:"clickhouse-"`
	TTL        eventlog.TTL    `embed:"" prefix:"clickhouse-ttl-"`
	Plan       bool            `help:"Only show what would be done, and end with status 2 where there is something to do." env:"-"`
	Print      bool            `help:"Only print the statements that make database and tables, in order." env:"-"`
}

// Run brings the tables up to date.
func (c *migrateCommand) Run(global *Global, ctx bound, tty terminal) error {
	if c.Print {
		return c.print(tty)
	}
	logger, err := global.logger()
	if err != nil {
		return err
	}
	c.ClickHouse.TTL = &c.TTL
	if c.Plan {
		return c.plan(ctx, tty)
	}
	return eventlog.Migrate(ctx, c.ClickHouse, logger)
}

// plan shows what Run would do.
func (c *migrateCommand) plan(ctx context.Context, tty terminal) error {
	found, err := eventlog.Inspect(ctx, c.ClickHouse)
	if err != nil {
		return err
	}
	if !found.HasDatabase {
		fmt.Fprintf(tty.out, "+ database %s\n", c.ClickHouse.Database())
	}
	for _, name := range found.Pending {
		fmt.Fprintf(tty.out, "+ migration %s\n", name)
	}
	for _, change := range found.TTLs {
		fmt.Fprintf(tty.out, "~ table %s: kept for %d days -> %d days\n", change.Table, change.From, change.To)
	}
	for _, name := range found.Edited {
		fmt.Fprintf(tty.out, "! migration %s: refused: it was applied with other contents\n", name)
	}
	if len(found.Pending)+len(found.TTLs)+len(found.Edited) > 0 {
		return exitStatus(exitDifferent)
	}
	fmt.Fprintln(tty.out, "Every table is up to date.")
	return nil
}

func (c *migrateCommand) print(tty terminal) error {
	statements, err := eventlog.Plan(c.ClickHouse)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		fmt.Fprintf(tty.out, "%s;\n\n", strings.TrimRight(statement, "\n"))
	}
	return nil
}
