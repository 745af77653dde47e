package eventlog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"path"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/millrace/millrace/schemas"
)

// The migrations are applied by these few lines because ClickHouse has no transactions to run them in and no lock to
// hold: what makes them safe is that each is one statement that may be repeated (IF NOT EXISTS), and a library adds
// nothing to that. The row in schema_migrations is written after the statement, so that a crash repeats it.
const migrationsTable = `
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`

// Migrate creates the database and the tables, or brings them up to date, and gives them the TTL of the settings. It only
// goes forward, can be repeated, and several processes can run it at once. It fails when a migration that was applied has
// been edited since.
func Migrate(ctx context.Context, config Config, log *slog.Logger) error {
	if err := createDatabase(ctx, config); err != nil {
		return err
	}
	conn, err := Connect(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Exec(ctx, config.migrationsTable()); err != nil {
		return fmt.Errorf("creating table schema_migrations: %w", err)
	}
	applied, err := appliedMigrations(ctx, conn)
	if err != nil {
		return err
	}
	all, err := migrations()
	if err != nil {
		return err
	}
	for _, migration := range all {
		if err := migrate(ctx, conn, config, migration, applied, log); err != nil {
			return fmt.Errorf("migration %s: %w", migration.name, err)
		}
	}
	if config.TTL == nil {
		return nil
	}
	return config.TTL.apply(ctx, conn, config, log)
}

// Plan returns the statements that make the database and its tables where there is nothing yet, for people who want to
// see or run them on their own.
func Plan(config Config) ([]string, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	plan := []string{config.database(), config.migrationsTable()}
	for _, migration := range all {
		statements, err := config.statements(migration.text)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", migration.name, err)
		}
		plan = append(plan, statements...)
	}
	return plan, nil
}

// migration is one file of schemas/clickhouse.
type migration struct{ name, text string }

func (m migration) checksum() string {
	sum := sha256.Sum256([]byte(m.text))
	return hex.EncodeToString(sum[:])
}

// migrations returns all of them in order.
func migrations() ([]migration, error) {
	files, err := fs.Glob(schemas.ClickHouse(), "clickhouse/*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	var found []migration
	for _, file := range files {
		text, err := fs.ReadFile(schemas.ClickHouse(), file)
		if err != nil {
			return nil, err
		}
		found = append(found, migration{path.Base(file), string(text)})
	}
	return found, nil
}

// database returns the statement that makes the database. Its name is checked by Validate: it cannot be a parameter here.
func (c Config) database() string {
	return "CREATE DATABASE IF NOT EXISTS " + c.Database() + c.onCluster()
}

func createDatabase(ctx context.Context, config Config) error {
	conn, err := connect(ctx, config, "default")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Exec(ctx, config.database()); err != nil {
		return fmt.Errorf("creating database %s: %w", config.Database(), err)
	}
	return nil
}

func appliedMigrations(ctx context.Context, conn driver.Conn) (map[string]string, error) {
	var rows []struct {
		Name     string `ch:"name"`
		Checksum string `ch:"checksum"`
	}
	if err := conn.Select(ctx, &rows, "SELECT name, checksum FROM schema_migrations FINAL"); err != nil {
		return nil, fmt.Errorf("reading schema_migrations: %w", err)
	}
	applied := make(map[string]string, len(rows))
	for _, row := range rows {
		applied[row.Name] = row.Checksum
	}
	return applied, nil
}

func migrate(ctx context.Context, conn driver.Conn, config Config, migration migration, applied map[string]string, log *slog.Logger) error {
	if before, done := applied[migration.name]; done {
		if before != migration.checksum() {
			return fmt.Errorf("it was applied with other contents; add a new file instead of editing this one, or have the table made anew by the new contents: millrace eventlog rebuild")
		}
		return nil
	}
	statements, err := config.statements(migration.text)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	log.Info("migration applied", "name", migration.name)
	return migration.note(ctx, conn)
}

// note writes down that the migration was applied.
func (m migration) note(ctx context.Context, conn driver.Conn) error {
	return conn.Exec(ctx, "INSERT INTO schema_migrations SELECT {name:String}, {checksum:String}, now64(3)",
		driver.NamedValue{Name: "name", Value: m.name}, driver.NamedValue{Name: "checksum", Value: m.checksum()})
}
