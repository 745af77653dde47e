package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/console"
	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/telemetry"
)

type devCommand struct {
	DataDir string        `help:"Where everything is kept." default:".millrace" placeholder:"DIR"`
	Library libraryConfig `embed:""`

	EmbeddedKafka      embedded.KafkaConfig      `embed:"" prefix:"embedded-kafka-"`
	EmbeddedClickHouse embedded.ClickHouseConfig `embed:"" prefix:"embedded-clickhouse-"`
	Receiver           embedded.ReceiverConfig   `embed:"" prefix:"receiver-"`

	Kafka       kafka.Config          `embed:"" prefix:"kafka-"`
	Catalog     catalogConfig         `embed:"" prefix:"catalog-"`
	ClickHouse  eventlog.Config       `embed:"" prefix:"clickhouse-"`
	TTL         eventlog.TTL          `embed:"" prefix:"clickhouse-ttl-"`
	Ingest      ingest.Config         `embed:"" prefix:"ingest-"`
	Processor   processor.Config      `kong:"embed,prefix='processor-',set='processor_guarantee=at_least_once',set='processor_dedup_dir=',set='processor_dedup_memory=67108864'"`
	Admin       telemetry.AdminConfig `kong:"embed,prefix='admin-',set='admin_listen=127.0.0.1:8083'"`
	Trace       telemetry.TraceConfig `embed:"" prefix:"trace-"`
	Dispatcher  dispatcher.Config     `embed:"" prefix:"dispatcher-"`
	Replay      replay.Config         `kong:"embed,prefix='replay-',set='replay_parallel=1'"`
	API         api.Config            `embed:"" prefix:"api-"`
	Console     console.Config        `embed:"" prefix:"console-"`
	WorkflowAPI workflowAPIConfig     `embed:"" prefix:"workflow-api-"`
}

// Help is shown by --help, above the flags.
func (c *devCommand) Help() string {
	return "Without --kafka-brokers an embedded Kafka is started, without --clickhouse-dsn an embedded ClickHouse, " +
		"without --workflow-api-url a receiver that shows the runs it gets."
}

// Run starts what is missing of the outside world, then every role, and stops both in reverse order.
func (c *devCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	tracer, err := telemetry.NewTracer(ctx, c.Trace, version, logger)
	if err != nil {
		return err
	}
	defer tracer.Close(ctx)
	c.Ingest.Tracer, c.Processor.Tracer, c.Dispatcher.Tracer = tracer, tracer, tracer
	outside, err := c.startOutside(ctx, logger)
	if err != nil {
		return ignoreStop(ctx, err)
	}
	defer outside.Close()
	c.pointTo(outside)
	if err := c.prepare(ctx, logger); err != nil {
		return ignoreStop(ctx, err)
	}
	err = withAdmin(ctx, c.Admin, logger, []string{"ingest", "processor", "dispatcher", "eventlog", "replay", "api", "console"}, func(ctx context.Context, admin *admin) error {
		return withCatalog(ctx, c.Kafka, admin, logger, func(ctx context.Context, reader *catalog.Reader) error {
			return c.runRoles(ctx, reader, outside, admin, logger)
		})
	})
	return ignoreStop(ctx, err)
}

// ignoreStop drops an error that is only the echo of the signal that stops the process.
func ignoreStop(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStopped) && (errors.Is(err, context.Canceled) || errors.Is(err, errStopped)) {
		return nil
	}
	return err
}

// startOutside starts the parts that are not given by address.
func (c *devCommand) startOutside(ctx context.Context, logger *slog.Logger) (*embedded.Embedded, error) {
	options := embedded.Options{DataDir: c.DataDir, ShowRun: showRun}
	if len(c.Kafka.Brokers) == 0 {
		if c.Processor.Guarantee == processor.ExactlyOnce {
			return nil, errors.New("the embedded Kafka's transactions do not survive a crash: exactly_once needs a real one (--kafka-brokers); " +
				"with --processor-guarantee=at_least_once the effect is the same, since runs keep their IDs")
		}
		options.Kafka = &c.EmbeddedKafka
	}
	if c.ClickHouse.DSN == "" {
		path, err := c.Library.locate(ctx, c.DataDir)
		if err != nil {
			return nil, err
		}
		c.EmbeddedClickHouse.LibraryPath, c.EmbeddedClickHouse.ChildCommand = path, []string{chdbChild}
		options.ClickHouse = &c.EmbeddedClickHouse
	}
	if c.WorkflowAPI.URL == "" {
		options.Receiver = &c.Receiver
	}
	return embedded.Start(ctx, options, logger)
}

// embeddedLogBytes is how large the embedded Kafka's log may grow in all: it is read at each start.
const embeddedLogBytes = 512 << 20

// pointTo makes the roles use what was started.
func (c *devCommand) pointTo(outside *embedded.Embedded) {
	if len(outside.Brokers) > 0 {
		c.Kafka.Brokers = outside.Brokers
		c.Kafka.Topics.LimitTotal(embeddedLogBytes)
	}
	if outside.DialClickHouse != nil {
		c.ClickHouse.DSN, c.ClickHouse.DialContext = "http://embedded:8123", outside.DialClickHouse
	}
	if outside.ReceiverURL != "" {
		c.WorkflowAPI.URL = outside.ReceiverURL
	}
	if c.Processor.DedupDir == "" {
		c.Processor.DedupDir = filepath.Join(c.DataDir, "dedup")
	}
	if c.Dispatcher.DeliveredDir == "" {
		c.Dispatcher.DeliveredDir = filepath.Join(c.DataDir, "delivered")
	}
	// Workflow APIs under development run on the same machine, as the receiver does.
	c.Dispatcher.AllowNetworks = append(c.Dispatcher.AllowNetworks, "127.0.0.0/8", "::1/128")
	if c.API.IngestURL == "" {
		c.API.IngestURL = listen.Config{Address: c.Ingest.Listen, TLS: c.Ingest.TLS}.Reachable()
	}
	if c.Console.APIURL == "" {
		c.Console.APIURL = c.apiURL()
	}
}

// apiURL is where the management API is from this machine.
func (c *devCommand) apiURL() string {
	return listen.Config{Address: c.API.Listen, TLS: c.API.TLS}.Reachable()
}

// prepare creates what is missing of topics and tables.
func (c *devCommand) prepare(ctx context.Context, logger *slog.Logger) error {
	if err := c.Kafka.EnsureTopics(ctx); err != nil {
		return err
	}
	c.ClickHouse.TTL = &c.TTL
	return eventlog.Migrate(ctx, c.ClickHouse, logger)
}

// runRoles runs every role. When one ends with an error, all end.
func (c *devCommand) runRoles(ctx context.Context, reader *catalog.Reader, outside *embedded.Embedded, admin *admin, logger *slog.Logger) error {
	// Nobody else writes to a broker of our own, and its transactions do not survive a kill.
	isSingle := len(outside.Brokers) > 0
	writer, keys, err := openWriter(ctx, c.Catalog, admin.catalog, reader, isSingle, logger)
	if err != nil {
		return err
	}
	defer writer.Close()
	if err := defaultEnvironments(ctx, writer); err != nil {
		return err
	}
	if err := seedDemo(ctx, reader, writer); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return startEventlog(ctx, c.ClickHouse, c.Kafka, admin, logger) })
	group.Go(func() error {
		return startDispatcher(ctx, c.Dispatcher, c.Kafka, newDestinations(reader, c.WorkflowAPI, logger), admin, logger)
	})
	group.Go(func() error {
		return startProcessor(ctx, c.Processor, c.Kafka, reader, admin, logger)
	})
	group.Go(func() error {
		return startReplay(ctx, replayConfig{c.Replay, c.ClickHouse, c.Kafka, reader, writer}, admin, logger)
	})
	group.Go(func() error {
		return startAPI(ctx, apiConfig{c.API, c.ClickHouse, c.Kafka, reader, writer, keys, outside.ClickHouseURL}, admin, logger)
	})
	group.Go(func() error { return startConsole(ctx, c.Console, admin, logger) })
	group.Go(func() error { return startIngest(ctx, c.Ingest, c.Kafka, reader, admin, logger) })
	group.Go(func() error { return outside.Watch(ctx) })
	group.Go(func() error { return c.announce(ctx, reader, keys, outside) })
	err = group.Wait()
	fmt.Fprintln(os.Stderr, "Millrace has stopped; the data is in", c.DataDir)
	return err
}
