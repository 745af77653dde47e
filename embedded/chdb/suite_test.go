package chdb_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// serverEnv names a ClickHouse server by its DSN. The tests in the files suite_*_test.go then run there instead of on the
// embedded engine, over the protocol of the DSN: they say what a role may expect of either.
const serverEnv = "MILLRACE_TEST_CLICKHOUSE"

// database connects to a database that is the test's own.
func database(t testing.TB) driver.Conn {
	t.Helper()
	return open(t, databaseOptions(t))
}

func databaseOptions(t testing.TB) *clickhouse.Options {
	t.Helper()
	o := suiteOptions(t)
	o.MaxOpenConns = 16
	o.Settings = clickhouse.Settings{"async_insert": 0}
	admin := open(t, o)
	name := "millrace_test_" + strings.ToLower(rand.Text()[:10])
	do(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := admin.Exec(ctx, "DROP DATABASE "+name); err != nil {
			t.Errorf("dropping database %s: %v", name, err)
		}
	})
	own := *o
	own.Auth.Database = name
	return &own
}

func suiteOptions(t testing.TB) *clickhouse.Options {
	t.Helper()
	dsn := os.Getenv(serverEnv)
	if dsn == "" {
		return clientOptions(start(t, options(t)))
	}
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatalf("%s: %v", serverEnv, err)
	}
	return o
}
