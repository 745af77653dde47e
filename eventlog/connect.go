package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/millrace/millrace/secretref"
)

// statementTimeout is how long the server works on one statement. It is as long as the writer waits for one round of
// inserts, so that an insert nobody waits for any more does not go on for long.
const statementTimeout = flushTimeout

// Connect returns a pool of connections to the event log's database, after a sign of life from the server. The
// database must exist: see Migrate.
func Connect(ctx context.Context, config Config) (driver.Conn, error) {
	return connect(ctx, config, "")
}

// connect uses another database than the DSN's where one is given.
func connect(ctx context.Context, config Config, database string) (driver.Conn, error) {
	options, err := config.options()
	if err != nil {
		return nil, err
	}
	options.Auth.Database = cmp.Or(database, options.Auth.Database)
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("connecting to ClickHouse: %w", err)
	}
	if err := conn.Ping(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("reaching ClickHouse at %s, database %s: %w", strings.Join(options.Addr, ", "), options.Auth.Database, config.TLS.files().Explain(err))
	}
	return conn, nil
}

func (c Config) options() (*clickhouse.Options, error) {
	if c.DSN == "" {
		return nil, errors.New("no ClickHouse is given; set --clickhouse-dsn or MILLRACE_CLICKHOUSE_DSN")
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	options, err := parseDSN(c.DSN)
	if err != nil {
		return nil, err
	}
	if err := c.TLS.applyTo(options); err != nil {
		return nil, err
	}
	options.DialContext = c.DialContext
	options.DialTimeout = cmp.Or(options.DialTimeout, 5*time.Second)
	options.ReadTimeout = cmp.Or(options.ReadTimeout, 2*statementTimeout)
	// Every table is written at once; the rest is for readers.
	options.MaxOpenConns = cmp.Or(options.MaxOpenConns, 10+len(tables())*c.Flush.Inserts)
	options.MaxIdleConns = cmp.Or(options.MaxIdleConns, options.MaxOpenConns/2)
	// What the DSN sets is kept, except for what correctness hangs on.
	if !c.ReadOnly {
		settings := cheapInserts()
		maps.Copy(settings, options.Settings)
		maps.Copy(settings, c.settings())
		options.Settings = settings
	}
	// The embedded engine understands no compression, nor does a socket need it.
	if c.DialContext == nil && options.Compression == nil {
		options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	if c.PasswordRef == "" {
		return options, nil
	}
	password, err := secretref.Resolve(c.PasswordRef)
	if err != nil {
		return nil, fmt.Errorf("password of ClickHouse: %w", err)
	}
	options.Auth.Password = password
	return options, nil
}

// cheapInserts leave to the first merge what it does anyway: collapsing the copies of a row and making the skip indexes,
// which take half the time of an insert. Until then FINAL counts copies once, and a question reads the block.
func cheapInserts() clickhouse.Settings {
	return clickhouse.Settings{"optimize_on_insert": 0, "materialize_skip_indexes_on_insert": 0}
}

// settings are what exactly-once hangs on.
func (c Config) settings() clickhouse.Settings {
	settings := clickhouse.Settings{
		"async_insert": 0, // an acknowledged insert is in the table, not in a buffer
		// The server's own deduplication can lose rows after a crash. Tables on one node have none unless asked for;
		// replicated ones have, and newer servers turn it off by deduplicate_insert only, which older ones do not know.
		"insert_deduplicate": 0,
		"max_execution_time": int(statementTimeout.Seconds()),
		// A backlog may span many days; the records' age is bounded by the topics' retention.
		"max_partitions_per_insert_block": 0,
		// Properties: of a name that an object has twice the first stands, and a text that looks like a time stays a text.
		"type_json_skip_duplicated_paths":  1,
		"input_format_try_infer_dates":     0,
		"input_format_try_infer_datetimes": 0,
		// Copies of one row always share a partition, so that partitions need not be merged with one another.
		"do_not_merge_across_partitions_select_final": 1,
	}
	if c.Cluster != "" {
		maps.Copy(settings, clusterSettings())
	}
	return settings
}
