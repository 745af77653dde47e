package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
)

// world is a broker and an engine, in which each turn has topics and a database of its own.
type world struct {
	outside *embedded.Embedded
	cluster kafka.Config
	config  eventlog.Config
	logger  *slog.Logger
	turns   int
}

func newWorld(ctx context.Context, dir string, options options) (*world, error) {
	w := &world{logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := errors.Join(kong.ApplyDefaults(&w.cluster), kong.ApplyDefaults(&w.config)); err != nil {
		return nil, err
	}
	if options.inserts > 0 {
		w.config.Flush.Inserts = options.inserts
	}
	var err error
	w.outside, err = start(ctx, dir, options.library, w.logger)
	if err != nil {
		return nil, err
	}
	w.cluster.Brokers, w.config.DialContext = w.outside.Brokers, w.outside.DialClickHouse
	return w, nil
}

// turn is a backlog in Kafka and a database that it is copied into.
type turn struct {
	cluster kafka.Config
	config  eventlog.Config
	conn    driver.Conn
	logger  *slog.Logger
	rows    int // of each table
}

// turn makes topics and tables that are empty.
func (w *world) turn(ctx context.Context) (*turn, error) {
	w.turns++
	t := &turn{cluster: w.cluster, config: w.config, logger: w.logger}
	t.cluster.TopicPrefix = fmt.Sprintf("bench%d.", w.turns)
	t.config.DSN = fmt.Sprintf("http://embedded:8123/bench%d", w.turns)
	if err := errors.Join(t.cluster.EnsureTopics(ctx), eventlog.Migrate(ctx, t.config, w.logger)); err != nil {
		return nil, err
	}
	var err error
	t.conn, err = eventlog.Connect(ctx, t.config)
	return t, err
}

// fill makes a turn with a backlog of events alone.
func (w *world) fill(ctx context.Context, samples []sample.Sample, events int) (*turn, error) {
	return w.load(ctx, samples, events, func(m *maker) ([]*kgo.Record, error) {
		event, _, err := m.event()
		return []*kgo.Record{event}, err
	})
}

func (w *world) load(ctx context.Context, samples []sample.Sample, events int, next func(*maker) ([]*kgo.Record, error)) (*turn, error) {
	t, err := w.turn(ctx)
	if err != nil {
		return nil, err
	}
	t.rows = events
	client, err := kgo.NewClient(t.cluster.Options()...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var failed kgo.FirstErrPromise
	m := &maker{cluster: t.cluster, samples: samples, began: time.Now().UTC().Add(-time.Hour - time.Duration(events)*time.Millisecond).Truncate(time.Millisecond)}
	for range events {
		records, err := next(m)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			client.Produce(ctx, record, failed.Promise())
		}
	}
	if err := errors.Join(client.Flush(ctx), failed.Err()); err != nil {
		return nil, fmt.Errorf("writing the backlog: %w", err)
	}
	return t, nil
}

// copy runs the event log, as it is by default, until the backlog is in the tables.
func (t *turn) copy(ctx context.Context, tables ...string) (time.Duration, error) {
	role, err := eventlog.New(t.config, t.cluster, t.conn, prometheus.NewRegistry(), t.logger)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began, ended := time.Now(), make(chan error, 1)
	go func() { ended <- role.Run(ctx) }()
	err = t.await(ctx, tables)
	took := time.Since(began)
	stop()
	return took, errors.Join(err, <-ended)
}

func (t *turn) await(ctx context.Context, tables []string) error {
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for len(tables) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
		var rows uint64
		if err := t.conn.QueryRow(ctx, "SELECT count() FROM "+tables[0]).Scan(&rows); err != nil {
			return err
		}
		if rows >= uint64(t.rows) {
			tables = tables[1:]
		}
	}
	return nil
}

// drop makes room for the next turn.
func (t *turn) drop(ctx context.Context) error {
	err := t.conn.Exec(ctx, "DROP DATABASE "+t.config.Database()+" SYNC")
	return errors.Join(err, t.conn.Close())
}
