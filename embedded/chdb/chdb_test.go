package chdb_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/embedded/chdb"
)

// TestMain is also the child: Start runs this test binary again.
func TestMain(m *testing.M) {
	if chdb.IsChild() {
		os.Exit(runChild())
	}
	if os.Getenv(parentEnv) != "" {
		os.Exit(runParent())
	}
	// A child built with the race detector would sleep a second before it exits.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	if os.Getenv(serverEnv) != "" {
		// The driver leaves idle connections to the server to close, and that one outlives the tests.
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}

func runChild() int {
	if slices.Contains(os.Args, nilDereference) {
		go dereferenceOnRequest()
	}
	options, err := chdb.ReadChildOptions()
	if err == nil {
		err = chdb.RunChild(context.Background(), options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// libraryPath finds or fetches the library once for the whole run.
var libraryPath = sync.OnceValues(func() (string, error) {
	libDir := os.Getenv("MILLRACE_LIBRARY_DIR")
	if libDir == "" {
		libDir = filepath.Join("..", "..", ".millrace", "lib")
	}
	return chdb.Locate(context.Background(), chdb.LibraryOptions{Path: os.Getenv("CHDB_LIB_PATH"), LibDir: libDir})
})

func library(t testing.TB) string {
	t.Helper()
	path, err := libraryPath()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func options(t testing.TB) chdb.Options {
	t.Helper()
	return chdb.Options{
		LibPath:   library(t),
		Path:      filepath.Join(t.TempDir(), "clickhouse"),
		SocketDir: t.TempDir(),
		HTTPAddr:  "127.0.0.1:0",
		Logger:    slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
}

// testWriter puts log lines where the failing test is.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

func start(t testing.TB, o chdb.Options) *chdb.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	server, err := chdb.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func clientOptions(server *chdb.Server) *clickhouse.Options {
	return &clickhouse.Options{
		Protocol:     clickhouse.HTTP,
		Addr:         []string{"clickhouse"},
		DialContext:  server.DialContext,
		MaxOpenConns: 16,
	}
}

func connect(t testing.TB, server *chdb.Server) driver.Conn {
	t.Helper()
	return open(t, clientOptions(server))
}

func open(t testing.TB, o *clickhouse.Options) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func startAndConnect(t testing.TB) (*chdb.Server, driver.Conn) {
	t.Helper()
	server := start(t, options(t))
	return server, connect(t, server)
}

func do(t testing.TB, conn driver.Conn, sql string) {
	t.Helper()
	if err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// scalar reads one value of one row.
func scalar[T any](t testing.TB, conn driver.Conn, sql string) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(t testing.TB, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[0] == "Z" || fields[1] != strconv.Itoa(pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}
	return children
}
