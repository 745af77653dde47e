// Command eventlog measures how fast the event log copies a backlog from Kafka into ClickHouse, beside a bare insert of the
// same rows into tables like them, in turn, with the CPU time of either's process and of the engine, and what a row takes on
// disk in each table. Broker and engine are processes of their own; what is measured lies between two inserts.
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

	table "github.com/millrace/millrace/bench/results"
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
	if len(os.Args) == 3 && os.Args[1] == brokerArgument {
		exitOn(serveBroker(context.Background(), os.Args[2])) // it ends with its input: a Ctrl-C is the parent's
		return
	}
	debug.SetGCPercent(400) // as the binary does
	events := flag.Int("events", 500_000, "how many events a backlog has")
	rounds := flag.Int("rounds", 3, "how often a backlog is copied")
	bodies := flag.String("bodies", "schemas/testdata/track-events.ndjson", "the events' bodies, one a line")
	library := flag.String("library-dir", cmp.Or(os.Getenv("MILLRACE_LIBRARY_DIR"), ".millrace/lib"), "where `make library` has put the engine")
	inserts := flag.Int("inserts", 0, "inserts into one table at the same time; 0 is the setting's default")
	json := flag.String("json", "", "a file that the rows for the table of `make bench` are written to")
	flag.Parse()
	exitOn(run(ctx, options{events: *events, rounds: *rounds, bodies: *bodies, library: *library, inserts: *inserts, json: *json}))
}

type options struct {
	events, rounds  int
	bodies, library string
	inserts         int
	json            string
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
	defer w.close()
	var all []table.Row
	for _, load := range workloads(options.events) {
		compared, err := compare(ctx, w, samples, load, options.rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		all = append(all, compared...)
	}
	return table.Write(options.json, all)
}

// startEngine starts ClickHouse.
func startEngine(ctx context.Context, dir, library string, logger *slog.Logger) (*embedded.Embedded, error) {
	path, err := filepath.Abs(library)
	if err != nil {
		return nil, err
	}
	lib, err := chdb.Locate(ctx, chdb.LibraryOptions{Path: os.Getenv("CHDB_LIB_PATH"), LibDir: path})
	if err != nil {
		return nil, err
	}
	return embedded.Start(ctx, embedded.Options{
		DataDir: dir, ClickHouse: &embedded.ClickHouseConfig{LibraryPath: lib, MaxMemory: 1_500_000_000},
	}, logger)
}
