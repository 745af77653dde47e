package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/console"
	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/listen"
	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// The start functions construct a role and run it until ctx ends. The role commands and `millrace dev` call the same
// ones and differ in where the addresses come from.

func startIngest(ctx context.Context, config ingest.Config, cluster kafka.Config, reader *catalog.Reader, admin *admin, logger *slog.Logger) error {
	cluster, err := admin.watch("ingest", cluster)
	if err != nil {
		return err
	}
	role, err := ingest.New(config, cluster, reader, logger)
	if err != nil {
		return err
	}
	if err := admin.add("ingest", role.Metrics(), role.Readiness); err != nil {
		return err
	}
	return role.Run(ctx)
}

func startProcessor(ctx context.Context, config processor.Config, cluster kafka.Config, reader *catalog.Reader, admin *admin, logger *slog.Logger) error {
	cluster, err := admin.watch("processor", cluster)
	if err != nil {
		return err
	}
	role, err := processor.New(config, cluster, reader, logger)
	if err != nil {
		return err
	}
	if err := admin.add("processor", role.Metrics(), at(role.Readiness)); err != nil {
		return err
	}
	return role.Run(ctx)
}

func startDispatcher(ctx context.Context, config dispatcher.Config, cluster kafka.Config, workflows destinations, admin *admin, logger *slog.Logger) error {
	cluster, err := admin.watch("dispatcher", cluster)
	if err != nil {
		return err
	}
	role, err := dispatcher.New(config, cluster, workflows, logger)
	if err != nil {
		return err
	}
	if err := admin.add("dispatcher", role.Metrics(), at(role.Readiness)); err != nil {
		return err
	}
	return role.Run(ctx)
}

func startEventlog(ctx context.Context, config eventlog.Config, cluster kafka.Config, admin *admin, logger *slog.Logger) error {
	cluster, err := admin.watch("eventlog", cluster)
	if err != nil {
		return err
	}
	conn, err := eventlog.Connect(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	role, err := eventlog.New(config, cluster, conn, admin.metrics, logger)
	if err != nil {
		return err
	}
	admin.health.Report("eventlog", role.Readiness)
	return role.Run(ctx)
}

// replayConfig is what the replay role needs of the outside.
type replayConfig struct {
	replay     replay.Config
	clickhouse eventlog.Config
	kafka      kafka.Config
	reader     *catalog.Reader
	writer     *catalog.Writer
}

func startReplay(ctx context.Context, config replayConfig, admin *admin, logger *slog.Logger) error {
	cluster, err := admin.watch("replay", config.kafka)
	if err != nil {
		return err
	}
	conn, err := eventlog.Connect(ctx, config.clickhouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	role, err := replay.New(config.replay, cluster, config.reader, config.writer, query.New(conn), logger)
	if err != nil {
		return err
	}
	if err := admin.add("replay", role.Metrics(), role.Readiness); err != nil {
		return err
	}
	return role.Run(ctx)
}

// apiConfig is what the API needs of the outside.
type apiConfig struct {
	api        api.Config
	clickhouse eventlog.Config
	kafka      kafka.Config
	reader     *catalog.Reader
	writer     *catalog.Writer
	keys       *catalog.Keys
	readonly   string // URL of the embedded ClickHouse's read-only interface; "" where that is not what is asked
}

// openSQL connects those who ask in SQL, or returns nil where nobody may.
func (c apiConfig) openSQL(ctx context.Context) (driver.Conn, error) {
	if !c.api.SQL.Enabled {
		return nil, nil //nolint:nilnil // there is nothing to connect to
	}
	config := c.clickhouse
	config.ReadOnly, config.PasswordRef = true, c.api.SQL.PasswordRef
	switch {
	case c.clickhouse.DialContext != nil && c.readonly == "":
		return nil, errors.New("--api-sql-enabled asks the read-only interface of the embedded ClickHouse, which --embedded-clickhouse-listen has switched off")
	case c.clickhouse.DialContext != nil:
		dialer := new(net.Dialer)
		config.DSN = c.readonly
		config.DialContext = func(ctx context.Context, addr string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) }
	case c.api.SQL.DSN == "":
		return nil, errors.New("--api-sql-enabled needs --api-sql-dsn, with a user of ClickHouse that can only read the event log's database")
	default:
		config.DSN = c.api.SQL.DSN
	}
	return eventlog.Connect(ctx, config)
}

func startAPI(ctx context.Context, config apiConfig, admin *admin, logger *slog.Logger) error {
	cluster, err := admin.watch("api", config.kafka)
	if err != nil {
		return err
	}
	conn, err := eventlog.Connect(ctx, config.clickhouse)
	if err != nil {
		return err
	}
	defer conn.Close()
	listener, err := listen.Open(ctx, listen.Config{Address: config.api.Listen, TLS: config.api.TLS}, logger)
	if err != nil {
		return fmt.Errorf("listening for the management API (--api-listen): %w", err)
	}
	defer listener.Close()
	log := api.EventLog{Log: query.New(conn)}
	asker, err := config.openSQL(ctx)
	if err != nil {
		return err
	}
	if asker != nil {
		defer asker.Close()
		bounds := config.api.SQL.Bounds()
		if config.clickhouse.DialContext != nil {
			bounds.Memory = 0 // the read-only interface has a limit of its own, and lets nobody set another
		}
		log.SQL = query.NewSQL(asker, bounds)
	}
	resend := func(ctx context.Context, letters ...schemas.DeadLetter) error {
		return dispatcher.Resend(ctx, cluster, letters...)
	}
	progress, err := replay.NewProgress(cluster)
	if err != nil {
		return err
	}
	defer progress.Close()
	replays := api.Replays{
		Progress: progress.Of,
		DryRun: func(ctx context.Context, wanted schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
			return replay.DryRun(ctx, cluster, log.Log, wanted, tell)
		},
	}
	role, err := api.New(config.api, config.reader, config.writer, config.keys, log, resend, replays, logger)
	if err != nil {
		return err
	}
	if err := admin.add("api", role.Metrics(), role.Readiness); err != nil {
		return err
	}
	return role.Run(ctx, listener)
}

// startConsole runs the console, or nothing until ctx ends where it has no address.
func startConsole(ctx context.Context, config console.Config, admin *admin, logger *slog.Logger) error {
	if config.Listen == "" {
		admin.health.Report("console", at(func() telemetry.Readiness { return telemetry.WaitingFor() }))
		<-ctx.Done()
		return nil
	}
	role, err := console.New(config, logger)
	if err != nil {
		return err
	}
	if err := admin.add("console", role.Metrics(), role.Readiness); err != nil {
		return err
	}
	listener, err := listen.Open(ctx, listen.Config{Address: config.Listen, TLS: config.TLS}, logger)
	if err != nil {
		return fmt.Errorf("listening for the console (--console-listen): %w", err)
	}
	defer listener.Close()
	return role.Run(ctx, listener)
}

// needBrokers reports that nobody has said where Kafka is.
func needBrokers(cluster kafka.Config) error {
	if len(cluster.Brokers) == 0 {
		return errors.New("no Kafka is given; set --kafka-brokers or MILLRACE_KAFKA_BROKERS")
	}
	return nil
}

// withCatalog follows the catalog while run runs.
func withCatalog(ctx context.Context, cluster kafka.Config, admin *admin, logger *slog.Logger, run func(context.Context, *catalog.Reader) error) error {
	if err := needBrokers(cluster); err != nil {
		return err
	}
	cluster, err := admin.watch("catalog", cluster)
	if err != nil {
		return err
	}
	admin.catalog = cluster
	reader, err := catalog.NewReader(cluster, logger)
	if err != nil {
		return err
	}
	if err := admin.metrics.Register(reader.Metrics()); err != nil {
		return fmt.Errorf("registering the metrics of the catalog: %w", err)
	}
	// The catalog is read until the last role has ended: what is in flight still needs it.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error { return reader.Run(following) })
	err = run(ctx, reader)
	stop()
	return errors.Join(err, group.Wait())
}

// defaultEnvironments makes sure that the environments exist that every catalog begins with.
func defaultEnvironments(ctx context.Context, writer *catalog.Writer) error {
	for _, name := range []string{"development", "production"} {
		if err := writer.EnsureEnvironment(ctx, schemas.Environment{Name: name}); err != nil {
			return fmt.Errorf("making environment %s: %w", name, err)
		}
	}
	return nil
}
