package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// serve runs the embedded broker and one of the servers on it until the standard input ends.
func serve(name string) error {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays is in the directory for such things
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	outside, err := embedded.Start(ctx, embedded.Options{DataDir: dir, Kafka: &embedded.KafkaConfig{Listen: "127.0.0.1:0"}}, logger)
	if err != nil {
		return err
	}
	defer outside.Close()
	cluster := kafka.Config{}
	if err := kong.ApplyDefaults(&cluster); err != nil {
		return err
	}
	cluster.Brokers = outside.Brokers
	cluster.Topics.LimitTotal(1 << 30) // the disk of a long comparison
	if err := cluster.EnsureTopics(ctx); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the parent closes it, be it by ending
		stop()
	}()
	if name == prototypeServer {
		return servePrototype(ctx, cluster, listener)
	}
	return serveIngest(ctx, cluster, listener, logger)
}

// announce tells the parent where to post.
func announce(listener net.Listener, path string) { fmt.Println(listener.Addr(), path) }

// serveIngest runs the role with the settings it has by default, and a source in its catalog.
func serveIngest(ctx context.Context, cluster kafka.Config, listener net.Listener, logger *slog.Logger) error {
	reader, err := catalog.NewReader(cluster, logger)
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error { return reader.Run(following) })
	defer func() {
		stop()
		_ = group.Wait() // a reader only ends because it is told to
	}()
	endpoint, err := makeEndpoint(ctx, cluster, reader, logger)
	if err != nil {
		return err
	}
	config := ingest.Config{}
	if err := kong.ApplyDefaults(&config); err != nil {
		return err
	}
	role, err := ingest.New(config, cluster, reader, logger)
	if err != nil {
		return err
	}
	announce(listener, "/v1/receive/"+endpoint)
	return role.Serve(ctx, listener)
}

func makeEndpoint(ctx context.Context, cluster kafka.Config, reader *catalog.Reader, logger *slog.Logger) (string, error) {
	const environment = "production"
	writer, err := catalog.NewWriter(cluster, reader, logger, catalog.WriterOptions{})
	if err != nil {
		return "", err
	}
	defer writer.Close()
	if err := writer.EnsureEnvironment(ctx, schemas.Environment{Name: environment}); err != nil {
		return "", err
	}
	source, err := writer.CreateSource(ctx, schemas.Source{Name: "bench"})
	return source.Endpoints[environment].Key, err
}
