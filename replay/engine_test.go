package replay_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/embedded/chdb"
	"github.com/millrace/millrace/eventlog"
)

// address leads to the engine of all tests. Each test has a database of its own there.
var address eventlog.Config

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		fail(runRole(order))
	}
	if chdb.IsChild() {
		runChild()
	}
	dir, err := os.MkdirTemp("", "replay")
	if err != nil {
		fail(err)
	}
	server, err := startEngine(dir)
	if err != nil {
		fail(err)
	}
	address = eventlog.Config{
		DSN: "http://embedded:8123", DialContext: server.DialContext,
		Flush: eventlog.Flush{Rows: 50_000, Bytes: 8 << 20, Inserts: 1, Interval: 100 * time.Millisecond},
	}
	code := m.Run()
	server.Close()
	_ = os.RemoveAll(dir)
	if err := goleak.Find(); err != nil && code == 0 {
		fail(err)
	}
	os.Exit(code)
}

func runChild() {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		fail(err)
	}
	if err := chdb.RunChild(context.Background(), options); err != nil {
		fail(err)
	}
	os.Exit(0)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func startEngine(dir string) (*chdb.Server, error) {
	library, err := chdb.Locate(context.Background(), chdb.LibraryOptions{
		Path: os.Getenv("CHDB_LIB_PATH"), LibDir: cmp.Or(os.Getenv("MILLRACE_LIBRARY_DIR"), filepath.Join("..", ".millrace", "lib")),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return chdb.Start(ctx, chdb.Options{LibPath: library, Path: dir, Logger: slog.New(slog.DiscardHandler)})
}
