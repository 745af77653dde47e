package chdb_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/millrace/millrace/embedded/chdb"
)

// running counts the engine's statements apart from the one that asks.
func running(t testing.TB, conn driver.Conn) uint64 {
	t.Helper()
	return scalar[uint64](t, conn, "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000%' AND query NOT LIKE '%system.processes%'")
}

func TestACancelledStatementStopsInTheEngine(t *testing.T) {
	_, conn := startAndConnect(t)
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
	_, conn := startAndConnect(t)
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
