package chdb_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/embedded/chdb"
)

// reader asks the read-only interface.
type reader struct {
	t    testing.TB
	base string
}

func newReader(t testing.TB, server *chdb.Server) reader {
	return reader{t: t, base: "http://" + server.HTTPAddr()}
}

func (r reader) do(method, path, body string, change func(*http.Request)) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res, string(text)
}

func (r reader) query(sql string) (*http.Response, string) {
	r.t.Helper()
	return r.do(http.MethodGet, "/?query="+url.QueryEscape(sql), "", nil)
}

func TestTheReadOnlyInterfaceAnswersAsClickHouseDoes(t *testing.T) {
	server, conn := startAndConnect(t)
	do(t, conn, "CREATE DATABASE log")
	do(t, conn, "CREATE TABLE log.events (id UInt64, file String) ENGINE = MergeTree ORDER BY id")
	do(t, conn, "INSERT INTO log.events VALUES (1, 'a'), (2, 'settings')")
	r := newReader(t, server)
	f := func(method, path, body, want, wantFormat string) {
		t.Helper()
		res, got := r.do(method, path, body, nil)
		if res.StatusCode != http.StatusOK || got != want || res.Header.Get("X-ClickHouse-Format") != wantFormat {
			t.Errorf("%s %s %s: %s %q as %q, want %q as %q", method, path, body, res.Status, got, res.Header.Get("X-ClickHouse-Format"), want, wantFormat)
		}
	}
	f("GET", "/ping", "", "Ok.\n", "")
	f("GET", "/", "", "Ok.\n", "")
	f("GET", "/?query=SELECT+1", "", "1\n", "TabSeparated")
	f("POST", "/", "SELECT 1 FORMAT CSV", "1\n", "CSV")
	f("POST", "/?query=SELECT", "1 + 1", "2\n", "TabSeparated")
	f("GET", "/?query=SELECT+1+AS+a&default_format=JSONEachRow", "", "{\"a\":1}\n", "JSONEachRow")
	f("GET", "/?query=SELECT+count()+FROM+events&database=log", "", "2\n", "TabSeparated")
	f("GET", "/?query=SELECT+{n:UInt8}%2B1&param_n=4", "", "5\n", "TabSeparated")
	f("GET", "/?query=SELECT+e.file+FROM+log.events+AS+e+WHERE+e.file='settings'+--+file(", "", "settings\n", "TabSeparated")
	f("GET", "/?query=SELECT+count()+FROM+system.settings+WHERE+name='readonly'", "", "1\n", "TabSeparated")
	f("GET", "/?query=SHOW+TABLES+FROM+log", "", "events\n", "TabSeparated")
	f("GET", "/?query=WITH+x+AS+(SELECT+7+AS+a)+SELECT+a+FROM+x;", "", "7\n", "TabSeparated")
	f("GET", "/?query=(SELECT+1)+UNION+ALL+(SELECT+1)", "", "1\n1\n", "TabSeparated")
	f("GET", "/?query=SELECT+getSetting('max_execution_time')", "", "30\n", "TabSeparated")
	f("GET", "/?query=SELECT+getSetting('max_execution_time')&max_execution_time=60", "", "30\n", "TabSeparated")
	f("GET", "/?query=SELECT+getSetting('max_execution_time')&max_execution_time=2", "", "2\n", "TabSeparated")
	f("GET", "/?query=SELECT+getSetting('readonly')&readonly=2", "", "1\n", "TabSeparated")
	f("GET", "/?query=SELECT+18446744073709551615+AS+a&output_format_json_quote_64bit_integers=1&default_format=JSONEachRow", "", "{\"a\":\"18446744073709551615\"}\n", "JSONEachRow")
	res, _ := r.do("GET", "/?query=SELECT+1", "", func(req *http.Request) { req.Header.Set("X-ClickHouse-Format", "JSON") })
	if got := res.Header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
		t.Errorf("JSON is sent as %q", got)
	}
	if res, text := r.query("SELECT * FROM missing"); res.StatusCode != http.StatusNotFound || res.Header.Get("X-ClickHouse-Exception-Code") != "60" {
		t.Errorf("a missing table: %s %s", res.Status, text)
	}
}

func TestTheReadOnlyInterfaceRefusesEverythingElse(t *testing.T) {
	server, conn := startAndConnect(t)
	do(t, conn, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("topsecret,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.csv")
	r := newReader(t, server)
	for _, sql := range []string{
		"INSERT INTO t VALUES (1)", "INSERT INTO t FORMAT CSV 1", "INSERT INTO t SELECT 1",
		"CREATE TABLE u (a Int8) ENGINE = Memory", "DROP TABLE t", "ALTER TABLE t DELETE WHERE 1", "TRUNCATE TABLE t",
		"CREATE TEMPORARY TABLE u (a Int8)", "OPTIMIZE TABLE t", "KILL QUERY WHERE 1", "SYSTEM FLUSH LOGS",
		"SET readonly = 0", "SET readonly = DEFAULT", "USE system", "CHECK TABLE t",
		"SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t", "SELECT 1 PARALLEL WITH DROP TABLE t",
		"SELECT 1 INTO OUTFILE '$OUT'", "SHOW TABLES INTO OUTFILE '$OUT'", "EXPLAIN SELECT 1 INTO OUTFILE '$OUT'",
		"INSERT INTO FUNCTION file('$OUT', 'CSV', 'a Int8') VALUES (1)", "BACKUP TABLE t TO File('$OUT')",
		"SELECT * FROM file('$SECRET')", "DESCRIBE file('$SECRET')", "DESC TABLE `file` /* x */ ('$SECRET')",
		"SELECT file('$SECRET')", "SELECT arrayMap(file, ['$SECRET'])", "SELECT * APPLY file FROM (SELECT '$SECRET')",
		"SELECT * APPLY(x -> \"file\"(x)) FROM (SELECT '$SECRET')", "WITH file AS f SELECT arrayMap(f, ['$SECRET'])",
		"SELECT * FROM `$SECRET`", "SELECT * FROM default.`$SECRET`", "SELECT * FROM filesystem('/')",
		"SELECT * FROM file('$SECRET') SETTINGS readonly = 0", "SELECT * FROM file('$SECRET') SETTINGS readonly = DEFAULT",
		"SELECT * FROM (SELECT * FROM `$SECRET` SETTINGS readonly = 0)", "SELECT 1 SETTINGS `readonly` = DEFAULT",
		"SELECT 1 SETTINGS max_execution_time = DEFAULT", "SELECT 1 FORMAT CSV SETTINGS max_memory_usage = 0",
		"SELECT 1 /* */ SeTtInGs readonly = 0", "EXPLAIN SELECT 1 SETTINGS readonly = 0",
		"SELECT * FROM url('http://127.0.0.1:9/x', 'CSV', 'a Int8')", "DESCRIBE url('http://127.0.0.1:9/x')",
		"DESCRIBE s3('http://127.0.0.1:9/bucket/x')", "SELECT * FROM remote('127.0.0.1:9', system.one)",
		"SELECT * FROM executable('id', 'CSV', 'a String')", "SELECT * FROM eval('SELECT 1')",
		"SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')", "SELECT * FROM sqlite('$SECRET', 't')",
		"SELECT * FROM {name:Identifier}", "EXECUTE AS default SELECT 1", "",
	} {
		sql = strings.NewReplacer("$SECRET", secret, "$OUT", out).Replace(sql)
		res, text := r.do(http.MethodPost, "/?param_name=t", sql, nil)
		if res.StatusCode == http.StatusOK || !strings.HasPrefix(text, "Code: ") || strings.Contains(text, "topsecret") {
			t.Errorf("%s: %s %s", sql, res.Status, text)
		}
		wantCode := map[bool]string{true: "62", false: "164"}[sql == ""]
		if got := res.Header.Get("X-ClickHouse-Exception-Code"); got != wantCode {
			t.Errorf("%s: code %s, want %s: %s", sql, got, wantCode, text)
		}
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a file was written: %v", err)
	}
	if got := scalar[uint64](t, conn, "SELECT count() FROM t"); got != 0 {
		t.Errorf("%d rows were written", got)
	}
}

func TestTheReadOnlyInterfaceRefusesOtherRequests(t *testing.T) {
	server := start(t, options(t))
	r := newReader(t, server)
	f := func(method, path, host string) {
		t.Helper()
		res, text := r.do(method, path, "", func(req *http.Request) { req.Host = host })
		if res.StatusCode != http.StatusForbidden || !strings.HasPrefix(text, "Code: 164. DB::Exception: ") {
			t.Errorf("%s %s at %q: %s %s", method, path, host, res.Status, text)
		}
	}
	f("PUT", "/?query=SELECT+1", "")
	f("DELETE", "/", "")
	f("GET", "/play", "")
	f("GET", "/?query=SELECT+1", "millrace.example")
	f("GET", "/ping", "localhost.example:8123")
	f("GET", "/?query=SELECT+1", "192.0.2.1:8123")
	f("GET", "/?query=SELECT+1&output_format_schema=x", "")
	f("GET", "/?query=SELECT+1&allow_introspection_functions=1", "")
	f("POST", "/?query=INSERT+INTO+t+FORMAT+CSV", "")
	for _, host := range []string{"localhost", "LOCALHOST:8123", "127.0.0.1:1", "[::1]:8123", "127.1.2.3"} {
		if res, text := r.do("GET", "/?query=SELECT+1", "", func(req *http.Request) { req.Host = host }); text != "1\n" {
			t.Errorf("%s: %s %s", host, res.Status, text)
		}
	}
}

func TestClickhouseGoReadsThroughTheReadOnlyInterface(t *testing.T) {
	server := start(t, options(t))
	conn, err := clickhouse.Open(&clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{server.HTTPAddr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := scalar[string](t, conn, "SELECT toString(sum(number)) FROM numbers(100)"); got != "4950" {
		t.Errorf("got %s", got)
	}
}
