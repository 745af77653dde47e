package chdb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"
)

// running counts the engine's statements apart from the one that asks.
func running(t testing.TB, conn driver.Conn) uint64 {
	t.Helper()
	return scalar[uint64](t, conn, "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000%' AND query NOT LIKE '%system.processes%'")
}

func TestACancelledStatementStopsInTheEngine(t *testing.T) {
	conn := database(t)
	f := func(sql string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		rows, err := conn.Query(ctx, sql)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		if err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("%s: ended after %s with %v", sql, time.Since(began), err)
		}
		eventually(t, "the engine is idle", func() bool { return running(t, conn) == 0 })
	}
	f("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
	f("SELECT sipHash64(number) FROM numbers(1000000000000)")
	f("INSERT INTO FUNCTION null('x UInt64') SELECT number FROM numbers(1000000000000)")
}

func TestManyStatementsShareTheSlots(t *testing.T) {
	conn := database(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	failures := make(chan error, 16)
	for range cap(failures) {
		go func() {
			failures <- conn.Exec(ctx, "SELECT sleep(0.1)")
		}()
	}
	for range cap(failures) {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
}

func TestAnInsertDoesNotWaitForALongSelect(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- conn.Exec(ctx, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)") }()
	eventually(t, "the select runs", func() bool { return running(t, conn) == 1 })
	insert(t, conn, "INSERT INTO t", uint64(1))
	if got := scalar[uint64](t, conn, "SELECT count() FROM t"); got != 1 || running(t, conn) != 1 {
		t.Errorf("%d rows, %d selects running", got, running(t, conn))
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the select succeeded")
	}
}

func TestCancellingStatementsDisturbsNoOther(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	var group errgroup.Group
	for range 4 {
		group.Go(func() error { return cancelMany(t.Context(), conn, 15) })
		group.Go(func() error {
			for range 60 {
				if err := errors.Join(conn.Exec(t.Context(), "SELECT count() FROM t"), tryInsert(t.Context(), conn, "INSERT INTO t", uint64(1))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	eventually(t, "the engine is idle", func() bool { return running(t, conn) == 0 })
	if got := scalar[uint64](t, conn, "SELECT count() FROM t"); got != 240 {
		t.Errorf("%d rows", got)
	}
}

// cancelMany starts statements that would never end, and gives up on each sooner or later than it has begun.
func cancelMany(ctx context.Context, conn driver.Conn, times int) error {
	for i := range times {
		short, cancel := context.WithTimeout(ctx, time.Duration(5*i)*time.Millisecond)
		err := conn.Exec(short, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
		cancel()
		if err == nil {
			return errors.New("a statement without end has ended")
		}
	}
	return nil
}
