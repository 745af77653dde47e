package main

import (
	"context"
	"errors"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/console"
	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/telemetry"
)

// The commands that run one role against a real Kafka and a real ClickHouse.

type ingestCommand struct {
	Kafka  kafka.Config          `embed:"" prefix:"kafka-"`
	Ingest ingest.Config         `embed:"" prefix:"ingest-"`
	Admin  telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8085'"`
	Trace  telemetry.TraceConfig `embed:"" prefix:"trace-"`
}

// Run runs ingest until a signal.
func (c *ingestCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	tracer, err := telemetry.NewTracer(ctx, c.Trace, version, logger)
	if err != nil {
		return err
	}
	defer tracer.Close(ctx)
	c.Ingest.Tracer = tracer
	return withRole(ctx, "ingest", c.Admin, c.Kafka, logger, func(ctx context.Context, admin *admin, reader *catalog.Reader) error {
		return startIngest(ctx, c.Ingest, c.Kafka, reader, admin, logger)
	})
}

type processorCommand struct {
	Kafka     kafka.Config          `embed:"" prefix:"kafka-"`
	Processor processor.Config      `kong:"embed,prefix='processor-',set='processor_guarantee=exactly_once',set='processor_dedup_dir=.millrace/dedup',set='processor_dedup_memory=536870912'"`
	Admin     telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8083'"`
	Trace     telemetry.TraceConfig `embed:"" prefix:"trace-"`
}

// Run runs the processor until a signal.
func (c *processorCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	tracer, err := telemetry.NewTracer(ctx, c.Trace, version, logger)
	if err != nil {
		return err
	}
	defer tracer.Close(ctx)
	c.Processor.Tracer = tracer
	return withRole(ctx, "processor", c.Admin, c.Kafka, logger, func(ctx context.Context, admin *admin, reader *catalog.Reader) error {
		return startProcessor(ctx, c.Processor, c.Kafka, reader, admin, logger)
	})
}

type dispatcherCommand struct {
	Kafka       kafka.Config          `embed:"" prefix:"kafka-"`
	Dispatcher  dispatcher.Config     `embed:"" prefix:"dispatcher-"`
	WorkflowAPI workflowAPIConfig     `embed:"" prefix:"workflow-api-"`
	Admin       telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8086'"`
	Trace       telemetry.TraceConfig `embed:"" prefix:"trace-"`
}

// Run runs the dispatcher until a signal.
func (c *dispatcherCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	tracer, err := telemetry.NewTracer(ctx, c.Trace, version, logger)
	if err != nil {
		return err
	}
	defer tracer.Close(ctx)
	c.Dispatcher.Tracer = tracer
	return withRole(ctx, "dispatcher", c.Admin, c.Kafka, logger, func(ctx context.Context, admin *admin, reader *catalog.Reader) error {
		if err := reader.Ready(ctx); err != nil {
			return err
		}
		return startDispatcher(ctx, c.Dispatcher, c.Kafka, newDestinations(reader, c.WorkflowAPI, logger), admin, logger)
	})
}

type apiCommand struct {
	Kafka      kafka.Config          `embed:"" prefix:"kafka-"`
	Catalog    catalogConfig         `embed:"" prefix:"catalog-"`
	ClickHouse eventlog.Config       `embed:"" prefix:"clickhouse-"`
	API        api.Config            `embed:"" prefix:"api-"`
	Admin      telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8088'"`
}

// Run runs the API until a signal.
func (c *apiCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	if c.API.IngestURL == "" {
		return errors.New("endpoints need their URL: set --api-ingest-url to how senders reach ingest")
	}
	return withRole(ctx, "api", c.Admin, c.Kafka, logger, func(ctx context.Context, admin *admin, reader *catalog.Reader) error {
		writer, keys, err := openWriter(ctx, c.Catalog, admin.catalog, reader, false, logger)
		if err != nil {
			return err
		}
		defer writer.Close()
		if err := defaultEnvironments(ctx, writer); err != nil {
			return err
		}
		return startAPI(ctx, apiConfig{c.API, c.ClickHouse, c.Kafka, reader, writer, keys, ""}, admin, logger)
	})
}

type consoleCommand struct {
	Console console.Config        `embed:"" prefix:"console-"`
	Admin   telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8089'"`
}

// Run runs the console until a signal.
func (c *consoleCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	return withAdmin(ctx, c.Admin, logger, []string{"console"}, func(ctx context.Context, admin *admin) error {
		return startConsole(ctx, c.Console, admin, logger)
	})
}
