package chdb_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sys/unix"
)

// refuseLongFiles makes the system refuse every write of the engine beyond so many bytes of a file, until the child is
// replaced. A full disk refuses writes in the same way.
func refuseLongFiles(t *testing.T, bytes uint64) (child int) {
	t.Helper()
	child = onlyChild(t)
	if err := unix.Prlimit(child, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: math.MaxUint64}, nil); err != nil {
		t.Fatal(err)
	}
	return child
}

// A text of 1,000 random letters for each row: no compression makes a block of them small.
const (
	textTable = "CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a SETTINGS min_bytes_for_wide_part = 0"
	textRows  = "INSERT INTO t SELECT number, randomPrintableASCII(1000) FROM numbers(100)"
	textSum   = "SELECT concat(toString(count()), ' ', toString(sum(length(s)))) FROM t"
)

func texts() []any {
	rows := make([]any, 20_000)
	for i := range rows {
		rows[i] = uint64(i) * 0x9e3779b97f4a7c15
	}
	return rows
}

func wantReplaced(t *testing.T, child int, err error) {
	t.Helper()
	var exception *clickhouse.Exception
	if err == nil || errors.As(err, &exception) && exception.Code != 75 {
		t.Fatalf("got %v, want code 75 or a connection that ends", err)
	}
	eventually(t, "the child has ended", func() bool { return !alive(child) })
}

func TestAnInsertWhoseWriteIsRefusedIsNotAcknowledged(t *testing.T) {
	server, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	insert(t, conn, "INSERT INTO t", uint64(1))
	child := refuseLongFiles(t, 32<<10)
	wantReplaced(t, child, tryInsert(t.Context(), conn, "INSERT INTO t", texts()...))
	fresh := connect(t, server)
	if got := scalar[uint64](t, fresh, "SELECT sum(a) FROM t"); got != 1 {
		t.Errorf("the sum is %d, want that of the row before", got)
	}
	insert(t, fresh, "INSERT INTO t", texts()...)
	if got := scalar[string](t, fresh, "SELECT concat(toString(count()), ' ', toString(uniqExact(a))) FROM t"); got != "20001 20001" {
		t.Errorf("got rows and values %s", got)
	}
}

func TestAMergeWhoseWriteIsRefusedLosesNothing(t *testing.T) {
	server, conn := startAndConnect(t)
	filled(t, conn)
	child := refuseLongFiles(t, 150<<10)
	wantReplaced(t, child, conn.Exec(t.Context(), "OPTIMIZE TABLE t FINAL"))
	if got := scalar[string](t, connect(t, server), textSum); got != "500 500000" {
		t.Errorf("got rows and bytes %s", got)
	}
}

// A part that such a merge wrote cannot be read, which is no fault of the statement that does.
func TestAStatementThatMeetsARefusedWriteFailsAsOne(t *testing.T) {
	server, conn := startAndConnect(t)
	inParts(t, conn)
	child := refuseLongFiles(t, 150<<10)
	err := conn.Exec(t.Context(), "SYSTEM START MERGES t")
	for err == nil {
		var longest string
		err = conn.QueryRow(t.Context(), "SELECT max(s) FROM t").Scan(&longest)
	}
	wantReplaced(t, child, err)
	if got := scalar[string](t, connect(t, server), textSum); got != "500 500000" {
		t.Errorf("got rows and bytes %s", got)
	}
}

// A mutation runs in the background: no statement waits for it.
func TestAWriteThatIsRefusedInTheBackgroundIsNoticed(t *testing.T) {
	server, conn := startAndConnect(t)
	filled(t, conn)
	child := refuseLongFiles(t, 150<<10)
	err := conn.Exec(t.Context(), "ALTER TABLE t UPDATE s = concat(s, reverse(s), repeat(' ', sleepEachRow(0.002))) WHERE 1 SETTINGS mutations_sync = 0")
	if err != nil { // the mutation was faster than the answer
		wantReplaced(t, child, err)
	}
	eventually(t, "the child has ended", func() bool { return !alive(child) })
	fresh := connect(t, server)
	eventually(t, "the mutation is done in the next child", func() bool {
		return scalar[uint64](t, fresh, "SELECT count() FROM system.mutations WHERE NOT is_done") == 0
	})
	if got := scalar[string](t, fresh, textSum); got != "500 1000000" {
		t.Errorf("got rows and bytes %s", got)
	}
}

// filled makes a table of five parts of 100 kB each, which may be merged.
func filled(t *testing.T, conn driver.Conn) {
	t.Helper()
	inParts(t, conn)
	do(t, conn, "SYSTEM START MERGES t")
}

// inParts makes a table of five parts of 100 kB each, which are not merged yet.
func inParts(t *testing.T, conn driver.Conn) {
	t.Helper()
	do(t, conn, textTable)
	do(t, conn, "SYSTEM STOP MERGES t")
	for range 5 {
		do(t, conn, textRows)
	}
}
