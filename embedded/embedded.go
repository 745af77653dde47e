// Package embedded starts the outside world of the pipeline inside this machine: a Kafka broker, a ClickHouse engine and
// a workflow API, with their data in one directory. It returns addresses only: a role cannot tell them from a cluster.
// What it starts is for development, tests and small sites: one node, no replication.
package embedded

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/millrace/millrace/embedded/chdb"
	"github.com/millrace/millrace/embedded/receiver"
)

// Options says what to start. A nil part is not started.
type Options struct {
	DataDir    string // everything is kept below; one process at a time may use it
	Kafka      *KafkaConfig
	ClickHouse *ClickHouseConfig
	Receiver   *ReceiverConfig
	// ShowRun is told about each run that the receiver gets, one at a time.
	ShowRun func(receiver.Received)
}

// ClickHouseConfig holds the embedded ClickHouse's settings.
type ClickHouseConfig struct {
	Listen    string `help:"Loopback address of the embedded ClickHouse's read-only HTTP interface; empty is none." default:"127.0.0.1:8123" placeholder:"HOST:PORT"`
	MaxMemory int64  `help:"Memory of the embedded ClickHouse, in bytes; a query that needs more fails." default:"1500000000"`

	LibraryPath  string   `kong:"-"` // from chdb.Locate
	ChildCommand []string `kong:"-"` // the arguments that make this binary call chdb.RunChild
}

// ReceiverConfig holds the built-in workflow API's settings.
type ReceiverConfig struct {
	Listen string `help:"Address of the built-in workflow API." default:"127.0.0.1:8082" placeholder:"HOST:PORT"`
}

// Embedded is what was started. The addresses of parts that were not are empty.
type Embedded struct {
	Brokers        []string
	DialClickHouse func(ctx context.Context, addr string) (net.Conn, error)
	ClickHouseURL  string // the read-only interface
	ReceiverURL    string

	clickhouse *chdb.Server
	closers    []func() // in the order of starting
}

// Start starts the parts and returns when each of them answers. ctx bounds the start only.
func Start(ctx context.Context, options Options, logger *slog.Logger) (*Embedded, error) {
	e := &Embedded{}
	for _, start := range []func(context.Context, Options, *slog.Logger) error{e.lock, e.startKafka, e.startClickHouse, e.startReceiver} {
		if err := start(ctx, options, logger); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

// Close stops everything, last started first.
func (e *Embedded) Close() {
	for len(e.closers) > 0 {
		last := len(e.closers) - 1
		e.closers[last]()
		e.closers = e.closers[:last]
	}
}

// Watch returns when ctx ends, or with an error when a part has ended for good.
func (e *Embedded) Watch(ctx context.Context) error {
	if e.clickhouse == nil {
		<-ctx.Done()
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-e.clickhouse.Done():
		return fmt.Errorf("the embedded ClickHouse has ended: %w", e.clickhouse.Err())
	}
}

func (e *Embedded) lock(_ context.Context, options Options, logger *slog.Logger) error {
	file, err := lockDir(options.DataDir)
	if err != nil {
		return err
	}
	e.onClose(logger, "the data directory", file)
	return nil
}

func (e *Embedded) onClose(logger *slog.Logger, what string, closer io.Closer) {
	e.closers = append(e.closers, func() {
		if err := closer.Close(); err != nil {
			logger.Error("closing "+what, "error", err)
		}
	})
}

func (e *Embedded) startKafka(_ context.Context, options Options, logger *slog.Logger) error {
	if options.Kafka == nil {
		return nil
	}
	broker, err := startKafka(*options.Kafka, options.DataDir, logger)
	if err != nil {
		return err
	}
	e.Brokers = []string{broker.Addr()}
	e.closers = append(e.closers, broker.Close)
	return nil
}

func (e *Embedded) startClickHouse(ctx context.Context, options Options, logger *slog.Logger) error {
	if options.ClickHouse == nil {
		return nil
	}
	dir, err := filepath.Abs(options.DataDir)
	if err != nil {
		return fmt.Errorf("finding the data directory: %w", err)
	}
	config := *options.ClickHouse
	server, err := chdb.Start(ctx, chdb.Options{
		LibPath: config.LibraryPath, Path: filepath.Join(dir, "clickhouse"), SocketDir: filepath.Join(dir, "run"),
		HTTPAddr: config.Listen, MaxServerMemoryUsage: config.MaxMemory, ChildCommand: config.ChildCommand, Logger: logger,
	})
	if err != nil {
		return err
	}
	e.clickhouse, e.DialClickHouse = server, server.DialContext
	if config.Listen != "" {
		e.ClickHouseURL = "http://" + server.HTTPAddr()
	}
	e.closers = append(e.closers, server.Close)
	return nil
}

func (e *Embedded) startReceiver(ctx context.Context, options Options, logger *slog.Logger) error {
	if options.Receiver == nil {
		return nil
	}
	r, err := receiver.Start(ctx, receiver.Options{Addr: options.Receiver.Listen, Show: options.ShowRun, Logger: logger})
	if err != nil {
		return err
	}
	e.ReceiverURL = r.URL()
	e.onClose(logger, "the workflow API", r)
	return nil
}
