package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/kafka"
)

// world is a broker and an engine, in which each turn has topics and a database of its own.
type world struct {
	broker  *broker
	engine  *embedded.Embedded
	meter   meter
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
	if err := w.start(ctx, dir, options.library); err != nil {
		w.close()
		return nil, err
	}
	w.cluster.Brokers, w.config.DialContext = []string{w.broker.address}, w.engine.DialClickHouse
	return w, nil
}

func (w *world) start(ctx context.Context, dir, library string) (err error) {
	if w.broker, err = startBroker(filepath.Join(dir, "broker")); err != nil {
		return err
	}
	if w.engine, err = startEngine(ctx, filepath.Join(dir, "engine"), library, w.logger); err != nil {
		return err
	}
	w.meter, err = newMeter(w.broker.pid)
	return err
}

func (w *world) close() {
	if w.engine != nil {
		w.engine.Close()
	}
	if w.broker == nil {
		return
	}
	if err := w.broker.close(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/eventlog: ending the broker:", err)
	}
}

// turn is a backlog in Kafka and a database that it is copied into.
type turn struct {
	cluster kafka.Config
	config  eventlog.Config
	conn    driver.Conn
	logger  *slog.Logger
	load    workload
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

// fill makes a turn with a backlog.
func (w *world) fill(ctx context.Context, samples []sample.Sample, load workload) (*turn, error) {
	t, err := w.turn(ctx)
	if err != nil {
		return nil, err
	}
	t.load = load
	client, err := kgo.NewClient(t.cluster.Options()...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var failed kgo.FirstErrPromise
	m := &maker{cluster: t.cluster, samples: samples, began: time.Now().UTC().Add(-time.Hour - time.Duration(load.events)*time.Millisecond).Truncate(time.Millisecond)}
	for range load.events {
		records, err := load.next(m)
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

// drop makes room for the next turn.
func (t *turn) drop(ctx context.Context) error {
	err := t.conn.Exec(ctx, "DROP DATABASE "+t.config.Database()+" SYNC")
	return errors.Join(err, t.conn.Close())
}
