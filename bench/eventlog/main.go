// Command eventlog measures how fast the event log copies a backlog from Kafka into ClickHouse, and what a row takes on disk
// in each table. Broker and role share a process, the engine is its child, as in `millrace dev`. How that compares with a
// bare insert of the same rows, BenchmarkInsertBesideBare of the event log's own package tells.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/embedded/chdb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if chdb.IsChild() {
		exitOn(child(ctx))
		return
	}
	debug.SetGCPercent(400) // as the binary does
	events := flag.Int("events", 500_000, "how many events a backlog has")
	rounds := flag.Int("rounds", 3, "how often a backlog is copied")
	bodies := flag.String("bodies", "schemas/testdata/track-events.ndjson", "the events' bodies, one a line")
	library := flag.String("library-dir", cmp.Or(os.Getenv("MILLRACE_LIBRARY_DIR"), ".millrace/lib"), "where `make library` has put the engine")
	inserts := flag.Int("inserts", 0, "inserts into one table at the same time; 0 is the setting's default")
	flag.Parse()
	exitOn(run(ctx, options{events: *events, rounds: *rounds, bodies: *bodies, library: *library, inserts: *inserts}))
}

type options struct {
	events, rounds  int
	bodies, library string
	inserts         int
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/eventlog:", err)
		os.Exit(1)
	}
}

// child is the engine's process.
func child(ctx context.Context) error {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		return err
	}
	return chdb.RunChild(ctx, options)
}

func run(ctx context.Context, options options) (err error) {
	samples, err := sample.Read(options.bodies)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "millrace-eventlog-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w, err := newWorld(ctx, dir, options)
	if err != nil {
		return err
	}
	defer w.outside.Close()
	if err := measureEvents(ctx, w, samples, options); err != nil {
		return err
	}
	return measureAll(ctx, w, samples, options.events/5)
}

// start starts the broker and the engine.
func start(ctx context.Context, dir, library string, logger *slog.Logger) (*embedded.Embedded, error) {
	path, err := filepath.Abs(library)
	if err != nil {
		return nil, err
	}
	lib, err := chdb.Locate(ctx, chdb.LibraryOptions{Path: os.Getenv("CHDB_LIB_PATH"), LibDir: path})
	if err != nil {
		return nil, err
	}
	return embedded.Start(ctx, embedded.Options{
		DataDir: dir, Kafka: &embedded.KafkaConfig{Listen: "127.0.0.1:0"},
		ClickHouse: &embedded.ClickHouseConfig{LibraryPath: lib, MaxMemory: 1_500_000_000},
	}, logger)
}

// measureEvents copies as many events in each round and prints each and the median.
func measureEvents(ctx context.Context, w *world, samples []sample.Sample, options options) error {
	var rates []float64
	for round := range options.rounds {
		t, err := w.fill(ctx, samples, options.events)
		if err != nil {
			return err
		}
		took, err := t.copy(ctx, "events")
		if err != nil {
			return err
		}
		rates = append(rates, perSecond(options.events, took))
		fmt.Printf("round %d: %6.0f events/s from Kafka into ClickHouse\n", round+1, rates[round])
		if err := t.drop(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("median:  %6.0f events/s from Kafka into ClickHouse\n\n", median(rates))
	return nil
}

func perSecond(rows int, took time.Duration) float64 { return float64(rows) / took.Seconds() }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
