package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/pprof"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// childArgument makes this program one of its own children: "child NAME BROKER PREFIX PROFILE", or "child broker DIR".
const (
	childArgument = "child"
	brokerChild   = "broker"
)

// runChild runs until the standard input ends.
func runChild(arguments []string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the parent closes it, be it by ending
		stop()
	}()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if len(arguments) == 2 && arguments[0] == brokerChild {
		return runBroker(ctx, arguments[1], logger)
	}
	if len(arguments) != 4 {
		return fmt.Errorf("a child with the arguments %q is none", arguments)
	}
	return profiled(arguments[3], func() error { return serve(ctx, arguments[0], arguments[1], arguments[2], logger) })
}

func runBroker(ctx context.Context, dir string, logger *slog.Logger) error {
	outside, err := embedded.Start(ctx, embedded.Options{DataDir: dir, Kafka: &embedded.KafkaConfig{Listen: "127.0.0.1:0"}}, logger)
	if err != nil {
		return err
	}
	defer outside.Close()
	fmt.Println(outside.Brokers[0])
	<-ctx.Done()
	return nil
}

// profiled runs with a CPU profile written to a file; without a path there is none.
func profiled(path string, run func() error) error {
	if path == "" {
		return run()
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return run()
}

// serve runs one of the servers.
func serve(ctx context.Context, name, broker, prefix string, logger *slog.Logger) error {
	cluster, err := clusterAt(broker, prefix)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	switch name {
	case bareFiber, validFiber:
		return serveFiber(ctx, listener, name == validFiber)
	case prototype, keyedPrototype:
		return servePrototype(ctx, cluster, listener, name == keyedPrototype)
	case ours, unlingered:
		return serveIngest(ctx, name, cluster, listener, logger)
	}
	return fmt.Errorf("there is no server %q", name)
}

// announce tells the parent where to post.
func announce(listener net.Listener, path string) { fmt.Println(listener.Addr(), path) }

// serveIngest runs the role with the settings it has by default, but for unlingered's one, and a source of that name in its catalog.
func serveIngest(ctx context.Context, name string, cluster kafka.Config, listener net.Listener, logger *slog.Logger) error {
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
	endpoint, err := makeEndpoint(ctx, name, cluster, reader, logger)
	if err != nil {
		return err
	}
	config := ingest.Config{}
	if err := kong.ApplyDefaults(&config); err != nil {
		return err
	}
	if name == unlingered {
		config.Linger = 0
	}
	role, err := ingest.New(config, cluster, reader, logger)
	if err != nil {
		return err
	}
	announce(listener, "/v1/receive/"+endpoint)
	return role.Serve(ctx, listener)
}

func makeEndpoint(ctx context.Context, name string, cluster kafka.Config, reader *catalog.Reader, logger *slog.Logger) (string, error) {
	const environment = "production"
	writer, err := catalog.NewWriter(cluster, reader, logger, catalog.WriterOptions{})
	if err != nil {
		return "", err
	}
	defer writer.Close()
	if err := writer.EnsureEnvironment(ctx, schemas.Environment{Name: environment}); err != nil {
		return "", err
	}
	source, err := writer.CreateSource(ctx, schemas.Source{Name: name})
	return source.Endpoints[environment].Key, err
}
