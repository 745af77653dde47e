package chdb_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/embedded/chdb"
)

func unixClient(t testing.TB, server *chdb.Server) *http.Client {
	t.Helper()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return server.DialContext(ctx, addr) },
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestAnInsertWhoseClientBreaksOffCommitsNothing(t *testing.T) {
	server, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	ctx, cancel := context.WithCancel(t.Context())
	body, rows := io.Pipe()
	go func() {
		// Whole lines and more than one piece: nothing but the missing end tells.
		_, err := io.WriteString(rows, strings.Repeat("1234567\n", 400_000))
		cancel()
		_ = rows.CloseWithError(errors.Join(err, context.Canceled))
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://clickhouse/?query=INSERT+INTO+t+FORMAT+CSV", body)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := unixClient(t, server).Do(req); err == nil {
		_ = res.Body.Close()
		t.Fatalf("the insert was answered with %s", res.Status)
	}
	eventually(t, "the insert has ended", func() bool {
		return scalar[uint64](t, conn, "SELECT count() FROM system.processes WHERE query LIKE '%INSERT INTO t%' AND query NOT LIKE '%system.processes%'") == 0
	})
	if got := scalar[uint64](t, conn, "SELECT count() FROM t"); got != 0 {
		t.Errorf("%d rows were committed", got)
	}
}

func TestInsertsTakeEveryFormat(t *testing.T) {
	server, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
	f := func(query, body string, wantStatus int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://clickhouse/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.URL.RawQuery = "query=" + query
		res, err := unixClient(t, server).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if text, _ := io.ReadAll(res.Body); res.StatusCode != wantStatus {
			t.Errorf("%s: %s: %s", query, res.Status, text)
		}
	}
	f("INSERT+INTO+t+FORMAT+CSV", "1,x\n2,y\n", 200)
	f("INSERT+INTO+t+FORMAT+JSONEachRow;", `{"a":3,"b":";"}`, 200)
	f("INSERT+INTO+t+(b,a)+format+TSV+/*+end+*/", "z\t4\n", 200)
	f("INSERT+INTO+t+VALUES", "(5,'FORMAT CSV')", 200)
	f("", "INSERT INTO t VALUES (6,'six')", 200)
	f("INSERT+INTO+t+FORMAT+CSV", "", 200)
	f("INSERT+INTO+t+FORMAT+CSV", "not a number,x\n", 500)
	f("INSERT+INTO+missing+FORMAT+CSV", strings.Repeat("1,x\n", 1_000_000), 404)
	if got := scalar[string](t, conn, "SELECT toString(groupArray(a)) FROM (SELECT a FROM t ORDER BY a)"); got != "[1,2,3,4,5,6]" {
		t.Errorf("got %s", got)
	}
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

func TestCompressionIsRefusedByName(t *testing.T) {
	o := clientOptions(start(t, options(t)))
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP} {
		o.Compression = &clickhouse.Compression{Method: method}
		err := open(t, o).Exec(t.Context(), "SELECT 1")
		if err != nil && !strings.Contains(err.Error(), "takes no compression") || err == nil && method != clickhouse.CompressionGZIP {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func TestAnAsynchronousInsertIsVisibleAtOnce(t *testing.T) {
	_, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"async_insert": 1, "wait_for_async_insert": 0}))
	if err := tryInsert(ctx, conn, "INSERT INTO t", uint64(1)); err != nil {
		t.Fatal(err)
	}
	if got := scalar[uint64](t, conn, "SELECT count() FROM t"); got != 1 {
		t.Errorf("%d rows", got)
	}
}

func TestSessionsAndQueryIDsAreIgnored(t *testing.T) {
	_, conn := startAndConnect(t)
	ctx := clickhouse.Context(t.Context(), clickhouse.WithQueryID("mine"), clickhouse.WithSettings(clickhouse.Settings{"session_id": "mine"}))
	if err := conn.Exec(ctx, "SELECT 1"); err != nil {
		t.Error(err)
	}
}

func TestAStatementThatAsksForReadonlyPassesTheGate(t *testing.T) {
	_, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	readonly := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"readonly": 1, "max_execution_time": 5}))
	f := func(sql string, want int32) {
		t.Helper()
		var got *clickhouse.Exception
		if err := conn.Exec(readonly, sql); !errors.As(err, &got) || got.Code != want {
			t.Errorf("%s: got %v, want code %d", sql, err, want)
		}
	}
	f("INSERT INTO t VALUES (1)", 164)
	f("DROP TABLE t", 164)
	f("SELECT 1; SELECT 2", 164)
	f("SELECT file('/etc/hostname')", 164)
	f("DESCRIBE file('/etc/hostname')", 164)
	f("SELECT 1 INTO OUTFILE '/tmp/never'", 164)
	f("SELECT * FROM (SELECT * FROM file('/etc/hostname') SETTINGS readonly = DEFAULT)", 164)
	f("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)", 159)
	if err := tryInsert(readonly, conn, "INSERT INTO t", uint64(1)); err == nil {
		t.Error("a batch was accepted")
	}
	var count uint64
	if err := conn.QueryRow(readonly, "SELECT count() FROM t WHERE a = {a:UInt64}", clickhouse.Named("a", 1)).Scan(&count); err != nil || count != 0 {
		t.Errorf("%d rows, error %v", count, err)
	}
}
