package eventlog_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/embedded/chdb"
	"github.com/millrace/millrace/eventlog"
)

// shared is the engine of every test that does not kill it. Each test has a database of its own there.
var shared *engine

// databases numbers them.
var databases atomic.Int64

func TestMain(m *testing.M) {
	if chdb.IsChild() {
		runChild()
	}
	dir, err := os.MkdirTemp("", "eventlog")
	if err != nil {
		fail(err)
	}
	if shared, err = startEngine(dir); err != nil {
		fail(err)
	}
	code := m.Run()
	shared.server.Close()
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

// engine is a ClickHouse.
type engine struct {
	server *chdb.Server
	dir    string
}

func startEngine(dir string) (*engine, error) {
	library, err := chdb.Locate(context.Background(), chdb.LibraryOptions{
		Path: os.Getenv("CHDB_LIB_PATH"), LibDir: cmp.Or(os.Getenv("MILLRACE_LIBRARY_DIR"), filepath.Join("..", ".millrace", "lib")),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := chdb.Start(ctx, chdb.Options{LibPath: library, Path: dir, Logger: slog.New(slog.DiscardHandler)})
	return &engine{server, dir}, err
}

func sharedEngine(testing.TB) *engine { return shared }

// newEngine starts an engine for one test.
func newEngine(tb testing.TB) *engine {
	tb.Helper()
	e, err := startEngine(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.server.Close)
	return e
}

// config returns settings that lead to a database nobody else uses.
func (e *engine) config(testing.TB) eventlog.Config {
	return eventlog.Config{
		DSN: "http://embedded:8123/test_" + strconv.FormatInt(databases.Add(1), 10), DialContext: e.server.DialContext,
		Flush: eventlog.Flush{Rows: 50_000, Bytes: 8 << 20, Inserts: 2, Interval: 500 * time.Millisecond},
	}
}

// kill ends the engine's process at once. Whoever supervises it starts another.
func (e *engine) kill(tb testing.TB) {
	tb.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		tb.Fatal(err)
	}
	for _, process := range processes {
		pid, _ := strconv.Atoi(filepath.Base(process))
		if !e.isChild(pid) {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			tb.Fatal(err)
		}
		return
	}
	tb.Fatal("the engine has no process")
}

// isChild tells whether pid is our own child and works in the engine's directory.
func (e *engine) isChild(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) {
		return false
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(environ, []byte(e.dir))
}
