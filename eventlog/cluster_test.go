package eventlog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/eventlog"
)

// TestStatementsForAClusterAreUnderstood has the engine parse them; a cluster to run them on there is not.
func TestStatementsForAClusterAreUnderstood(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	plan, err := eventlog.Plan(eventlog.Config{DSN: "clickhouse://a:9000/log", Cluster: "my-cluster", Flush: r.config.Flush})
	if err != nil {
		t.Fatal(err)
	}
	var formatted []string
	for _, statement := range plan {
		var text string
		if err := r.conn.QueryRow(t.Context(), "SELECT formatQuerySingleLine({statement:String})", clickhouse.Named("statement", statement)).Scan(&text); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
		formatted = append(formatted, text)
	}
	f := func(want ...string) {
		t.Helper()
		found := slices.ContainsFunc(formatted, func(statement string) bool {
			return !slices.ContainsFunc(want, func(part string) bool { return !strings.Contains(statement, part) })
		})
		if !found {
			t.Errorf("no statement has %q:\n%s", want, strings.Join(formatted, "\n"))
		}
	}
	f("CREATE DATABASE IF NOT EXISTS log ON CLUSTER `my-cluster`")
	f("CREATE TABLE IF NOT EXISTS schema_migrations ON CLUSTER", "ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}_{replica}')")
	f("CREATE TABLE IF NOT EXISTS events_local ON CLUSTER", "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}') PARTITION BY")
	f("CREATE TABLE IF NOT EXISTS decisions_local ON CLUSTER", "'{replica}', decided_at)")
	f("CREATE OR REPLACE TABLE events ON CLUSTER `my-cluster` AS events_local", "Distributed('my-cluster', 'log', 'events_local', cityHash64(event_id))")
	if tables := r.ask("SELECT count() FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%ReplacingMergeTree'"); len(plan) != int(2+2*(tables-1)) {
		t.Errorf("%d statements for %d tables, want the database, schema_migrations, and two for each other", len(plan), tables)
	}
}
