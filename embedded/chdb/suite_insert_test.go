package chdb_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// insert sends one batch of one-column rows.
func insert(t testing.TB, conn driver.Conn, sql string, values ...any) {
	t.Helper()
	if err := tryInsert(t.Context(), conn, sql, values...); err != nil {
		t.Fatal(err)
	}
}

func tryInsert(ctx context.Context, conn driver.Conn, sql string, values ...any) error {
	batch, err := conn.PrepareBatch(ctx, sql)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := batch.Append(v); err != nil {
			return errors.Join(err, batch.Abort())
		}
	}
	return batch.Send()
}

func TestABatchForAMissingTableSaysSo(t *testing.T) {
	conn := database(t)
	var got *clickhouse.Exception
	if err := tryInsert(t.Context(), conn, "INSERT INTO missing", 1); !errors.As(err, &got) || got.Code != 60 {
		t.Errorf("got %v, want code 60", err)
	}
}

func TestABatchWithAColumnThatIsNotThereSaysSo(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	if err := tryInsert(t.Context(), conn, "INSERT INTO t (nowhere)", uint64(1)); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

func TestALargeBatchIsOneBlock(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64, text String) ENGINE = MergeTree ORDER BY a")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(200_000) {
		if err := batch.Append(i, "text \x00 with a zero byte"); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	if got := scalar[string](t, conn, "SELECT concat(count(), ' ', sum(a), ' ', uniqExact(_part)) FROM t"); got != "200000 19999900000 1" {
		t.Errorf("got rows, sum and parts %s", got)
	}
}

func TestABatchThatIsAbortedLeavesNothing(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(batch.Append(uint64(1)), batch.Abort()); err != nil {
		t.Fatal(err)
	}
	if got := scalar[uint64](t, conn, "SELECT count() FROM t"); got != 0 {
		t.Errorf("%d rows", got)
	}
}

// deduplicating makes a table and a view behind it that know again which batches they have.
func deduplicating(t testing.TB, conn driver.Conn) {
	t.Helper()
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 1000")
	do(t, conn, "CREATE TABLE sums (total UInt64) ENGINE = SummingMergeTree ORDER BY tuple() SETTINGS non_replicated_deduplication_window = 1000")
	do(t, conn, "CREATE MATERIALIZED VIEW summing TO sums AS SELECT sum(a) AS total FROM t")
}

func withToken(ctx context.Context, token string) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
	}))
}

func TestABatchThatIsSentAgainWithItsTokenIsThereOnce(t *testing.T) {
	conn := database(t)
	deduplicating(t, conn)
	for _, token := range []string{"first", "first", "second", "first"} {
		if err := tryInsert(withToken(t.Context(), token), conn, "INSERT INTO t", uint64(1), uint64(2)); err != nil {
			t.Fatal(err)
		}
	}
	if got := scalar[string](t, conn, "SELECT concat(count(), ' ', (SELECT sum(total) FROM sums)) FROM t"); got != "4 6" {
		t.Errorf("got rows and sum %s, want two batches", got)
	}
}
