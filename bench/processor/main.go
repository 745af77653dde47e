// Command processor measures the processor on a running Apache Kafka, against a Kafka Streams program that does the part
// of its work that Streams has a usual recipe for: dropping repeats within 24 hours, exactly once, and a bare loop that
// only copies. All contenders read the same events, in turn, round after round, so that what else the machine does meets all of them; take the ratios.
// With -latency it measures instead what exactly_once adds to the time from an event to its decision. With -embedded the
// broker is the embedded one, in this process, so that the CPU time is still that of the contender alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace/millrace/bench/sample"
)

type options struct {
	address    string
	binary     string
	peers      string
	samples    string
	only       string
	events     int
	rounds     int
	limit      time.Duration
	rate       int
	length     time.Duration
	warmUp     time.Duration
	latency    bool
	isEmbedded bool
	json       string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareArgument {
		exitOn(untilSignal(func(ctx context.Context) error { return runBare(ctx, os.Args[2:]) }))
		return
	}
	port := os.Getenv("KAFKA_PORT")
	if port == "" {
		port = "19092"
	}
	var o options
	flag.StringVar(&o.address, "address", "127.0.0.1:"+port, "a running Apache Kafka (make kafka-up)")
	flag.StringVar(&o.binary, "binary", "bin/millrace", "the millrace binary")
	flag.StringVar(&o.peers, "peers", ".millrace/peers", "where the Streams program was built")
	flag.StringVar(&o.samples, "samples", "schemas/testdata/track-events.ndjson", "the events, one a line")
	flag.StringVar(&o.only, "only", "", "measure only contenders whose name contains this")
	flag.IntVar(&o.events, "events", 1_000_000, "events that each run works off")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each contender runs")
	flag.DurationVar(&o.limit, "limit", 5*time.Minute, "how long one run may take")
	flag.BoolVar(&o.isEmbedded, "embedded", false, "bring the embedded broker, in this process, in place of a running one")
	flag.BoolVar(&o.latency, "latency", false, "measure latency instead")
	flag.IntVar(&o.rate, "rate", 1500, "latency: events per second")
	flag.DurationVar(&o.length, "for", 20*time.Second, "latency: how long to measure, each time")
	flag.DurationVar(&o.warmUp, "warm-up", 5*time.Second, "latency: how long to produce before measuring")
	flag.StringVar(&o.json, "json", "", "a file that the rows for the table of `make bench` are written to; not with -latency")
	flag.Parse()
	exitOn(untilSignal(func(ctx context.Context) error { return run(ctx, o) }))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-processor:", err)
		os.Exit(1)
	}
}

func untilSignal(run func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx)
}

func run(ctx context.Context, o options) error {
	samples, err := sample.Read(o.samples)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays is in the directory for such things
	if o.isEmbedded {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(filepath.Join(dir, "kafka")))
		if err != nil {
			return fmt.Errorf("starting the embedded broker: %w", err)
		}
		defer cluster.Close()
		o.address = cluster.ListenAddrs()[0]
	}
	if o.latency {
		return compareLatency(ctx, o, samples, dir)
	}
	return compareThroughput(ctx, o, samples, dir)
}
