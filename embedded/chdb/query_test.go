package chdb_test

import (
	"context"
	"errors"
	"testing"
	"time"

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

func TestErrorsKeepTheirClickHouseCode(t *testing.T) {
	_, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a")
	f := func(sql string, want int32) {
		t.Helper()
		var got *clickhouse.Exception
		err := conn.Exec(t.Context(), sql)
		if !errors.As(err, &got) || got.Code != want {
			t.Errorf("%s: got %v, want code %d", sql, err, want)
		}
	}
	f("SELECT nowhere FROM t", 47)
	f("CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a", 57)
	f("SELECT * FROM missing", 60)
	f("INSERT INTO missing VALUES (1)", 60)
	f("SELEKT 1", 62)
	f("SELECT 1; SELECT 2", 62)
	f("SELECT 1 SETTINGS no_such_setting = 1", 115)
	f("SELECT {missing:String}", 456)
	f("SELECT throwIf(1)", 395)
}

func TestABatchForAMissingTableSaysSo(t *testing.T) {
	_, conn := startAndConnect(t)
	var got *clickhouse.Exception
	if err := tryInsert(t.Context(), conn, "INSERT INTO missing", 1); !errors.As(err, &got) || got.Code != 60 {
		t.Errorf("got %v, want code 60", err)
	}
}

func TestAnErrorAfterManyRowsIsStillAnError(t *testing.T) {
	_, conn := startAndConnect(t)
	rows, err := conn.Query(t.Context(), "SELECT throwIf(number = 2000000) FROM numbers(5000000) SETTINGS max_threads = 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	read := 0
	for rows.Next() {
		read++
	}
	var got *clickhouse.Exception
	if !errors.As(rows.Err(), &got) || got.Code != 395 || read == 0 {
		t.Errorf("after %d rows: %v, want code 395", read, rows.Err())
	}
}

func TestParametersArriveAsGiven(t *testing.T) {
	_, conn := startAndConnect(t)
	want := "it's\ta \\ \"quoted\"\nline é {x:String} '; DROP TABLE t --"
	at := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	var text string
	var length, number uint64
	var moment time.Time
	err := conn.QueryRow(t.Context(), "SELECT {text:String}, length({list:Array(String)}), {n:UInt64}, {at:DateTime64(3,'UTC')}",
		clickhouse.Named("text", want), clickhouse.Named("list", []string{"a", "b"}),
		clickhouse.Named("n", 7), clickhouse.DateNamed("at", at, clickhouse.MilliSeconds),
	).Scan(&text, &length, &number, &moment)
	if err != nil || text != want || length != 2 || number != 7 || !moment.Equal(at) {
		t.Errorf("got %q, %d, %d, %s, error %v", text, length, number, moment, err)
	}
}

func TestSettingsReachTheStatement(t *testing.T) {
	_, conn := startAndConnect(t)
	f := func(settings clickhouse.Settings, sql string, want int32) {
		t.Helper()
		var got *clickhouse.Exception
		err := conn.Exec(clickhouse.Context(t.Context(), clickhouse.WithSettings(settings)), sql)
		if !errors.As(err, &got) || got.Code != want {
			t.Errorf("%s with %v: got %v, want code %d", sql, settings, err, want)
		}
	}
	f(clickhouse.Settings{"no_such_setting": 1}, "SELECT 1", 115)
	f(clickhouse.Settings{"x = 1, readonly": 1}, "SELECT 1", 115)
	f(clickhouse.Settings{"max_execution_time": 1}, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)", 159)
	f(clickhouse.Settings{"max_memory_usage": 1_000_000}, "SELECT groupArray(number) FROM numbers(10000000)", 241)
	f(clickhouse.Settings{"max_result_rows": 1}, "SELECT number FROM numbers(2)", 396)
}

func TestNothingOfOneRequestReachesTheNext(t *testing.T) {
	_, conn := startAndConnect(t)
	usual := scalar[string](t, conn, "SELECT toString(getSetting('max_block_size'))")
	do(t, conn, "CREATE DATABASE other")
	for range 20 {
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 17}))
		if err := conn.Exec(ctx, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		do(t, conn, "SET max_block_size = 19")
		do(t, conn, "USE other")
		do(t, conn, "CREATE TEMPORARY TABLE scratch (a Int32)")
		if got := scalar[string](t, conn, "SELECT toString(getSetting('max_block_size'))"); got != usual {
			t.Fatalf("max_block_size is %s, want %s", got, usual)
		}
		if got := scalar[string](t, conn, "SELECT currentDatabase()"); got != "default" {
			t.Fatalf("the database is %s", got)
		}
	}
}

func TestTheDatabaseOfAClientIsUsed(t *testing.T) {
	server, admin := startAndConnect(t)
	do(t, admin, "CREATE DATABASE `mill race`")
	o := clientOptions(server)
	o.Auth.Database = "mill race"
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := scalar[string](t, conn, "SELECT currentDatabase()"); got != "mill race" {
		t.Errorf("got %q", got)
	}
}
