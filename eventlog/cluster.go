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
	ofTable     = regexp.MustCompile(`(?m)^(CREATE TABLE IF NOT EXISTS|ALTER TABLE) (\w+)`)
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
	found := ofTable.FindStringSubmatch(migration)
	if found == nil {
		return nil, fmt.Errorf("it neither creates nor alters a table, so it cannot be translated for a cluster")
	}
	table := found[2]
	local := strings.Replace(migration, found[0], found[1]+" "+c.local(table)+c.onCluster(), 1)
	local = tableEngine.ReplaceAllStringFunc(local, replicated)
	distributed, err := c.distributed(table)
	return []string{local, distributed}, err
}

// distributed returns the statement that makes a distributed table, or makes it anew after a change: it holds no rows, and
// nothing but an index would have to be changed differently.
func (c Config) distributed(table string) (string, error) {
	key, err := shardBy(table)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS %s ENGINE = Distributed('%s', '%s', '%s', %s)",
		table, c.onCluster(), c.local(table), c.Cluster, c.Database(), c.local(table), key), nil
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
	switch strings.TrimSuffix(table, freshSuffix) {
	case "events", "decisions", "runs", "deliveries", "dead_letters":
		return "cityHash64(event_id)", nil
	case "rejections", "audit", "quarantine":
		return "cityHash64(topic, partition, offset)", nil
	}
	return "", fmt.Errorf("nobody has said how table %s is distributed", table)
}
