package eventlog

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// On a cluster each table NAME of the migrations becomes two: NAME_local, replicated within each shard, and NAME itself,
// distributed over the shards, which everybody reads and writes. No other statement than these two kinds may be in a
// migration.
var (
	createTable = regexp.MustCompile(`(?m)^CREATE TABLE IF NOT EXISTS (\w+)$`)
	alterTable  = regexp.MustCompile(`(?m)^ALTER TABLE (\w+)`)
	tableEngine = regexp.MustCompile(`(?m)^ENGINE = ReplacingMergeTree(?:\((\w+)\))?$`)
)

// clusterSettings are what exactly-once on a cluster hangs on.
func clusterSettings() clickhouse.Settings {
	return clickhouse.Settings{
		// An insert is acknowledged by the shards, not put into a queue for them.
		"insert_distributed_sync": 1,
		// What is acknowledged is on most replicas, so that it survives the loss of one. A replica that lags behind may still
		// say of a row that it is missing: it is inserted again and collapses.
		"insert_quorum": "auto",
		// The event's decision may be on another shard than what is joined with it.
		"distributed_product_mode": "global",
	}
}

func (c Config) onCluster() string {
	if c.Cluster == "" {
		return ""
	}
	return " ON CLUSTER `" + c.Cluster + "`"
}

// local returns the name of the table that holds a table's rows on a server.
func (c Config) local(table string) string {
	if c.Cluster == "" {
		return table
	}
	return table + "_local"
}

// migrationsTable returns the statement that makes schema_migrations. On a cluster every server has all its rows.
func (c Config) migrationsTable() string {
	if c.Cluster == "" {
		return migrationsTable
	}
	return strings.NewReplacer(
		"EXISTS schema_migrations", "EXISTS schema_migrations"+c.onCluster(),
		"ENGINE = ReplacingMergeTree", "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}_{replica}')",
	).Replace(migrationsTable)
}

// statements returns what a migration means here.
func (c Config) statements(migration string) ([]string, error) {
	if c.Cluster == "" {
		return []string{migration}, nil
	}
	pattern, prefix := createTable, "CREATE TABLE IF NOT EXISTS "
	if !pattern.MatchString(migration) {
		pattern, prefix = alterTable, "ALTER TABLE "
	}
	found := pattern.FindStringSubmatch(migration)
	if found == nil {
		return nil, fmt.Errorf("it neither creates nor alters a table, so it cannot be translated for a cluster")
	}
	table := found[1]
	key, err := shardBy(table)
	if err != nil {
		return nil, err
	}
	local := strings.Replace(migration, found[0], prefix+c.local(table)+c.onCluster(), 1)
	local = tableEngine.ReplaceAllStringFunc(local, replicated)
	// It is made anew after each change: it holds no rows, and nothing but an index would have to be changed differently.
	distributed := fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS %s ENGINE = Distributed('%s', '%s', '%s', %s)",
		table, c.onCluster(), c.local(table), c.Cluster, c.Database(), c.local(table), key)
	return []string{local, distributed}, nil
}

func replicated(engine string) string {
	arguments := "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
	if version := tableEngine.FindStringSubmatch(engine)[1]; version != "" {
		arguments += ", " + version
	}
	return "ENGINE = ReplicatedReplacingMergeTree(" + arguments + ")"
}

// shardBy returns the expression that says on which shard a row is. Rows of one identity must meet there, or they would
// never collapse; what belongs to one event is together.
func shardBy(table string) (string, error) {
	switch table {
	case "events", "decisions", "runs", "deliveries", "dead_letters":
		return "cityHash64(event_id)", nil
	case "rejections", "audit", "quarantine":
		return "cityHash64(topic, partition, offset)", nil
	}
	return "", fmt.Errorf("nobody has said how table %s is distributed", table)
}
