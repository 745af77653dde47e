package eventlog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Inspection is what a server of ClickHouse tells, and what Migrate would do there.
type Inspection struct {
	Version string
	Now     time.Time // by the server's clock
	Free    uint64    // bytes of the disk that has the least, 0 where the user may not ask
	// HasDatabase is false before the first Migrate.
	HasDatabase bool
	Pending     []string    // migrations that are not applied
	Edited      []string    // those that were applied with other contents
	Unknown     []string    // those that a newer Millrace has applied
	TTLs        []TTLChange // where the settings want another one
}

// TTLChange is a table whose rows are kept for another time than the settings say.
type TTLChange struct {
	Table    string
	From, To int // days
}

// Inspect asks and changes nothing.
func Inspect(ctx context.Context, config Config) (Inspection, error) {
	var found Inspection
	conn, err := connect(ctx, config, "default")
	if err != nil {
		return found, err
	}
	defer func() { _ = conn.Close() }()
	var tables uint64
	err = conn.QueryRow(ctx, "SELECT version(), now64(3, 'UTC'), (SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations')",
		driver.NamedValue{Name: "database", Value: config.Database()}).Scan(&found.Version, &found.Now, &tables)
	if err != nil {
		return found, fmt.Errorf("asking ClickHouse for its version and its tables: %w", err)
	}
	// A user with the least rights may not ask for disks, and an object store has no bound.
	if err := conn.QueryRow(ctx, "SELECT min(free_space) FROM system.disks").Scan(&found.Free); err != nil {
		found.Free = 0
	}
	found.HasDatabase = tables > 0
	return found, found.compare(ctx, config)
}

// compare sees what Migrate would do.
func (i *Inspection) compare(ctx context.Context, config Config) error {
	applied := map[string]string{}
	all, err := migrations()
	if err != nil {
		return err
	}
	if i.HasDatabase {
		conn, err := Connect(ctx, config)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if applied, err = appliedMigrations(ctx, conn); err != nil {
			return err
		}
		if i.TTLs, err = config.ttlChanges(ctx, conn, applied, len(all)); err != nil {
			return err
		}
	}
	for _, migration := range all {
		switch checksum, done := applied[migration.name]; {
		case !done:
			i.Pending = append(i.Pending, migration.name)
		case checksum != migration.checksum():
			i.Edited = append(i.Edited, migration.name)
		}
		delete(applied, migration.name)
	}
	for name := range applied {
		i.Unknown = append(i.Unknown, name)
	}
	slices.Sort(i.Unknown)
	return nil
}

// ttlChanges compares the tables with the settings, once every table is there.
func (c Config) ttlChanges(ctx context.Context, conn driver.Conn, applied map[string]string, all int) ([]TTLChange, error) {
	if c.TTL == nil || len(applied) < all {
		return nil, nil
	}
	var changes []TTLChange
	for table, days := range c.TTL.days() {
		has, err := readTTL(ctx, conn, c.local(table))
		if err != nil {
			return nil, err
		}
		if has.days != days {
			changes = append(changes, TTLChange{table, has.days, days})
		}
	}
	slices.SortFunc(changes, func(a, b TTLChange) int { return strings.Compare(a.Table, b.Table) })
	return changes, nil
}
