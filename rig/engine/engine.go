// Package engine gives the tests of a package a ClickHouse: the embedded one, in a child of the test's own process. Main is
// what their TestMain calls; a test that kills its engine starts one of its own. The engine's library is where
// MILLRACE_LIBRARY_DIR says, which `make test` fetches it to.
package engine

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
)

// Engine is a ClickHouse with its files.
type Engine struct {
	*chdb.Server
	Dir string
}

// Main runs the tests of a package with an engine that they share, which is handed to use before, and ends the process. It
// fails where tests leave goroutines behind.
func Main(m *testing.M, use func(Engine)) {
	if chdb.IsChild() {
		exitOn(runChild())
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "engine")
	exitOn(err)
	shared, err := Start(dir)
	exitOn(err)
	use(shared)
	code := m.Run()
	shared.Close()
	_ = os.RemoveAll(dir)
	if code == 0 {
		exitOn(goleak.Find())
	}
	os.Exit(code)
}

// Start starts an engine on the files in dir.
func Start(dir string) (Engine, error) {
	library, err := chdb.Locate(context.Background(), chdb.LibraryOptions{
		Path: os.Getenv("CHDB_LIB_PATH"), LibDir: cmp.Or(os.Getenv("MILLRACE_LIBRARY_DIR"), filepath.Join(root(), ".millrace", "lib")),
	})
	if err != nil {
		return Engine{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := chdb.Start(ctx, chdb.Options{LibPath: library, Path: dir, Logger: slog.New(slog.DiscardHandler)})
	return Engine{server, dir}, err
}

// root returns the folder of the module, which is above the one that tests run in.
func root() string {
	dir := "."
	for range 8 {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Join(dir, "..")
	}
	return "."
}

func runChild() error {
	options, err := chdb.ReadChildOptions()
	if err != nil {
		return err
	}
	return chdb.RunChild(context.Background(), options)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
