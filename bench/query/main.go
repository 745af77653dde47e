// Command query fills the event log with events of thirty days, the last of them dense, and with what followed from
// them, then asks what people ask and prints how long the answers took, and how many of the rows were read for them.
// With a directory of its own (-dir) what was filled stays, and a later run asks at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/millrace/millrace/bench/fill"
	table "github.com/millrace/millrace/bench/results"
	"github.com/millrace/millrace/embedded/chdb"
	"github.com/millrace/millrace/eventlog"
)

func main() {
	if chdb.IsChild() {
		exit(runChild())
	}
	rows := flag.Uint64("rows", 10_000_000, "how many events")
	rounds := flag.Int("rounds", 20, "how often each question is asked, after three times that are not counted")
	only := flag.String("only", "", "ask only the questions whose names have this text")
	dir := flag.String("dir", "", "where the data is kept; default: a new directory for temporary files, removed at the end")
	library := flag.String("library-dir", filepath.Join(".millrace", "lib"), "where the ClickHouse engine library is")
	json := flag.String("json", "", "a file that the rows for the table of `make bench` are written to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, *rows, asking{*rounds, *only, *json}, *dir, *library))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/query:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runChild() error {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		return err
	}
	return chdb.RunChild(context.Background(), options)
}

// asking says how often which questions are asked, and where the answers' times are written to.
type asking struct {
	rounds int
	only   string
	json   string
}

func run(ctx context.Context, rows uint64, how asking, dir, libraryDir string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "millrace-query-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "clickhouse")); err != nil { // what was filled before is there already
		if err := hasRoom(dir, rows); err != nil {
			return err
		}
	}
	engine, err := startEngine(ctx, dir, libraryDir)
	if err != nil {
		return err
	}
	defer engine.Close()
	config := eventlog.Config{
		// A question is asked over and over here, and the server would remember which granules have no answer; who asks
		// has a new one.
		DSN: "http://embedded:8123/bench?read_timeout=1h&use_query_condition_cache=0", DialContext: engine.DialContext,
		Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Second},
	}
	if err := eventlog.Migrate(ctx, config, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	conn, err := eventlog.Connect(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	return measure(ctx, conn, rows, how)
}

func startEngine(ctx context.Context, dir, libraryDir string) (*chdb.Server, error) {
	absolute, err := filepath.Abs(libraryDir)
	if err != nil {
		return nil, err
	}
	library, err := chdb.Locate(ctx, chdb.LibraryOptions{Path: os.Getenv("CHDB_LIB_PATH"), LibDir: absolute})
	if err != nil {
		return nil, err
	}
	return chdb.Start(ctx, chdb.Options{
		LibPath: library, Path: filepath.Join(dir, "clickhouse"), MaxServerMemoryUsage: 4 << 30,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
}

func measure(ctx context.Context, conn driver.Conn, rows uint64, how asking) error {
	if err := fill.Log(ctx, conn, rows, fill.Sources()); err != nil {
		return err
	}
	if err := printSizes(ctx, conn); err != nil {
		return err
	}
	recorded := &recorder{Conn: conn}
	var all []table.Row
	questions, err := newQuestions(ctx, recorded)
	if err != nil {
		return err
	}
	fmt.Printf("\n%-44s %9s %9s %9s %12s %12s\n", "question", "p50 ms", "p95 ms", "max ms", "rows read", "of rows")
	for _, q := range questions {
		if !strings.Contains(q.name, how.only) {
			continue
		}
		p95, err := ask(ctx, q, recorded, how.rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		all = append(all, row(q.name, rows, p95))
	}
	return table.Write(how.json, all)
}
