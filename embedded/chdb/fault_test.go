package chdb_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/rig"
)

// nilDereference is the argument that makes a child dereference nil twice on SIGUSR1: once recovered, once not.
const nilDereference = "nil-dereference"

func dereferenceOnRequest() {
	requested := make(chan os.Signal, 1)
	signal.Notify(requested, syscall.SIGUSR1)
	<-requested
	func() {
		defer func() { fmt.Fprintln(os.Stderr, "recovered:", recover()) }()
		dereference(nil)
	}()
	dereference(nil)
}

func dereference(value *int) { *value++ }

func TestANilDereferenceBesideTheEnginePanicsAndTheChildIsReplaced(t *testing.T) {
	o, said := options(t), &rig.Buffer{}
	o.ChildCommand, o.Logger = []string{nilDereference}, slog.New(slog.NewTextHandler(said, nil))
	server := start(t, o)
	kill(t, onlyChild(t), syscall.SIGUSR1)
	eventually(t, "its end is reported", func() bool { return strings.Contains(said.String(), "is started again") })
	for _, want := range []string{"recovered: runtime error: invalid memory address", "panic: runtime error: invalid memory address"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not in: %s", want, said.String())
		}
	}
	if err := connect(t, server).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAClientThatComesWhileTheChildRestartsWaits(t *testing.T) {
	server, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	for i, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGTERM} {
		before := onlyChild(t)
		kill(t, before, signal)
		eventually(t, "the child has ended", func() bool { return !alive(before) })
		fresh := connect(t, server)
		insert(t, fresh, "INSERT INTO t", uint64(i))
		if got := scalar[uint64](t, fresh, "SELECT count() FROM t"); got != uint64(i+1) {
			t.Errorf("after %s: %d rows", signal, got)
		}
	}
}

func TestABatchThatACrashCutOffIsSentAgainWithItsToken(t *testing.T) {
	server, conn := startAndConnect(t)
	deduplicating(t, conn)
	batches, rows := 12, 2000
	values := make([]any, rows)
	for i := range values {
		values[i] = uint64(1)
	}
	for i := range batches {
		if i%4 == 1 {
			kill(t, onlyChild(t), syscall.SIGKILL)
		}
		token := withToken(t.Context(), fmt.Sprint("batch ", i))
		eventually(t, "the batch is acknowledged", func() bool { return tryInsert(token, conn, "INSERT INTO t", values...) == nil })
		if i%4 == 3 { // what was acknowledged is not taken twice either
			if err := tryInsert(token, connect(t, server), "INSERT INTO t", values...); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := fmt.Sprint(batches*rows, " ", batches*rows)
	if got := scalar[string](t, conn, "SELECT concat(count(), ' ', (SELECT sum(total) FROM sums)) FROM t"); got != want {
		t.Errorf("got rows and sum %s, want %s", got, want)
	}
	if got := scalar[uint8](t, conn, "CHECK TABLE t SETTINGS check_query_single_value_result = 1"); got != 1 {
		t.Errorf("the table's check says %d", got)
	}
}

func TestTheEngineKeepsToItsMemory(t *testing.T) {
	o := options(t)
	o.MaxServerMemoryUsage, o.MarkCacheSize = 400_000_000, 16<<20
	conn := connect(t, start(t, o))
	child := onlyChild(t)
	var got *clickhouse.Exception
	if err := conn.Exec(t.Context(), "SELECT length(groupArray(number)) FROM numbers(200000000)"); !errors.As(err, &got) || got.Code != 241 {
		t.Errorf("got %v, want code 241", err)
	}
	f := func(setting, want string) {
		t.Helper()
		if value := scalar[string](t, conn, "SELECT value FROM system.server_settings WHERE name = '"+setting+"'"); value != want {
			t.Errorf("%s is %s, want %s", setting, value, want)
		}
	}
	f("max_server_memory_usage", "400000000")
	f("mark_cache_size", "16777216")
	if onlyChild(t) != child {
		t.Error("the child did not survive")
	}
}

func TestTheSocketIsPrivate(t *testing.T) {
	o := options(t)
	start(t, o)
	stat, err := os.Stat(o.SocketDir)
	if err != nil || stat.Mode().Perm() != 0o700 {
		t.Errorf("the socket's directory is %v, error %v", stat.Mode(), err)
	}
}

func TestAResultLargerThanTheEnginesMemoryIsStreamed(t *testing.T) {
	o := options(t)
	o.MaxServerMemoryUsage = 400_000_000
	conn := connect(t, start(t, o))
	rows, err := conn.Query(t.Context(), "SELECT repeat('x', 1000) FROM numbers(1000000)")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for rows.Next() {
		read++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || read != 1_000_000 {
		t.Errorf("%d rows, error %v", read, err)
	}
}
