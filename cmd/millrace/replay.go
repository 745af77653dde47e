package main

import (
	"context"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/telemetry"
)

type replayCommands struct {
	Create replayCreate `cmd:"" help:"Let events of the past go through triggers once more; with --dry-run, say what would come of it."`
	List   replayList   `cmd:"" help:"List replays, newest first."`
	Get    replayGet    `cmd:"" aliases:"show" help:"Show one and how far it is."`
	Pause  replayChange `cmd:"" help:"Let a running replay rest."`
	Resume replayChange `cmd:"" help:"Let a paused replay go on."`
	Cancel replayChange `cmd:"" help:"End a replay for good. What it has created stays."`

	Run replayRunCommand `cmd:"" help:"Run the role that works on replays. Several processes share the partitions."`
}

type replayRunCommand struct {
	Kafka      kafka.Config          `embed:"" prefix:"kafka-"`
	Catalog    catalogConfig         `embed:"" prefix:"catalog-"`
	ClickHouse eventlog.Config       `embed:"" prefix:"clickhouse-"`
	Replay     replay.Config         `kong:"embed,prefix='replay-',set='replay_parallel=0'"`
	Admin      telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8087'"`
}

// Run runs the replay role until a signal.
func (c *replayRunCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	return withRole(ctx, "replay", c.Admin, c.Kafka, logger, func(ctx context.Context, admin *admin, reader *catalog.Reader) error {
		writer, _, err := openWriter(ctx, c.Catalog, admin.catalog, reader, false, logger)
		if err != nil {
			return err
		}
		defer writer.Close()
		return startReplay(ctx, replayConfig{c.Replay, c.ClickHouse, c.Kafka, reader, writer}, admin, logger)
	})
}
