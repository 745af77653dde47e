package chdb_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestErrorsKeepTheirClickHouseCode(t *testing.T) {
	conn := database(t)
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
	f("INSERT INTO t (nowhere) VALUES (1)", 16)
	f("SELECT throwIf(1)", 395)
}

func TestAnErrorAfterManyRowsIsStillAnError(t *testing.T) {
	conn := database(t)
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
	conn := database(t)
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
	conn := database(t)
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

func TestParametersOfEveryKindArrive(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	insert(t, conn, "INSERT INTO t", uint64(1), uint64(2))
	f := func(want, statement string, parameters ...any) {
		t.Helper()
		var got string
		if err := conn.QueryRow(t.Context(), statement, parameters...).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, error %v, want %q", statement, got, err, want)
		}
	}
	f("1", "SELECT toString({n:Nullable(String)} IS NULL)", clickhouse.Named("n", nil))
	f("x", "SELECT {m:Map(String, String)}['a']", clickhouse.Named("m", map[string]string{"a": "x"}))
	f("2", "SELECT toString(count()) FROM {table:Identifier}", clickhouse.Named("table", "t"))
	f("it's 7", "SELECT concat(?, ' ', toString(?))", "it's", 7)
	var got *clickhouse.Exception
	if err := conn.Exec(t.Context(), "SELECT {n:UInt8}", clickhouse.Named("n", "seven")); !errors.As(err, &got) || got.Code != 457 {
		t.Errorf("got %v, want code 457", err)
	}
}

func TestWhatCannotBeStreamedIsAnswered(t *testing.T) {
	conn := database(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	for _, statement := range []string{"SHOW TABLES", "DESCRIBE TABLE t", "EXPLAIN SELECT a FROM t", "EXISTS TABLE t", "SHOW CREATE TABLE t", "(SELECT 1) UNION ALL (SELECT 2)"} {
		rows, err := conn.Query(t.Context(), statement)
		if err != nil {
			t.Errorf("%s: %v", statement, err)
			continue
		}
		if !rows.Next() || rows.Close() != nil {
			t.Errorf("%s: no row, error %v", statement, rows.Err())
		}
	}
}

func TestTheStandardDatabaseInterfaceWorks(t *testing.T) {
	db := clickhouse.OpenDB(databaseOptions(t))
	defer db.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.PingContext(t.Context()))
	_, err := db.ExecContext(t.Context(), "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
	must(err)
	must(insertInTransaction(t, db))
	var text string
	must(db.QueryRowContext(t.Context(), "SELECT b FROM t WHERE a = ?", 2).Scan(&text))
	var got *clickhouse.Exception
	if err := db.QueryRowContext(t.Context(), "SELECT nowhere FROM t").Scan(&text); text != "two" || !errors.As(err, &got) || got.Code != 47 {
		t.Errorf("read %q, then %v, want code 47", text, err)
	}
}

func insertInTransaction(t testing.TB, db *sql.DB) error {
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		return err
	}
	batch, err := tx.PrepareContext(t.Context(), "INSERT INTO t")
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	defer batch.Close()
	for i, text := range []string{"one", "two"} {
		if _, err := batch.ExecContext(t.Context(), uint64(i+1), text); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
