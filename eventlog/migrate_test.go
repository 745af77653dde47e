package eventlog_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog"
)

func TestMigrationsCanRunTwiceAndAtOnce(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.config.DSN += "_more"
	var processes errgroup.Group
	for range 4 {
		processes.Go(func() error { return eventlog.Migrate(t.Context(), r.config, r.logger()) })
	}
	if err := processes.Wait(); err != nil {
		t.Fatal(err)
	}
	r.conn = connect(t, r.config)
	r.exec("TRUNCATE TABLE schema_migrations") // as if each process had died before it noted what it did
	for range 2 {
		if err := eventlog.Migrate(t.Context(), r.config, r.logger()); err != nil {
			t.Fatal(err)
		}
	}
	if applied := r.ask("SELECT count() FROM schema_migrations FINAL"); applied != 8 {
		t.Errorf("%d migrations are noted, want 8", applied)
	}
}

func TestMigrationThatWasEditedIsRefused(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.exec("INSERT INTO schema_migrations SELECT name, 'other', now64(3) FROM schema_migrations WHERE name LIKE '0002%'")
	err := eventlog.Migrate(t.Context(), r.config, r.logger())
	if err == nil || !strings.Contains(err.Error(), "0002_rejections.sql") {
		t.Errorf("got %v, want an error about 0002_rejections.sql", err)
	}
}

func TestReadmeListsEveryColumnWithItsType(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	rows, err := r.conn.Query(t.Context(), "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() ORDER BY table, position")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := make(map[string][]string)
	for rows.Next() {
		var table, name, kind string
		if err := rows.Scan(&table, &name, &kind); err != nil {
			t.Fatal(err)
		}
		columns[table] = append(columns[table], name+" "+kind)
	}
	listed := documented(t)
	for table := range columns {
		if !slices.Equal(columns[table], listed[table]) {
			t.Errorf("table %s has the columns\n%q\nschemas/clickhouse/README.md lists\n%q", table, columns[table], listed[table])
		}
	}
	if len(listed) != len(columns) {
		t.Errorf("there are %d tables, schemas/clickhouse/README.md lists %d", len(columns), len(listed))
	}
}

// documented returns the columns of each table as README.md lists them.
func documented(tb testing.TB) map[string][]string {
	tb.Helper()
	text, err := os.ReadFile("../schemas/clickhouse/README.md")
	if err != nil {
		tb.Fatal(err)
	}
	heading := regexp.MustCompile(`^## (\w+)$`)
	line := regexp.MustCompile("^\\| `([a-z_.]+)` \\| (.+?) \\| .+ \\|$")
	columns := make(map[string][]string)
	var table string
	for text := range strings.Lines(string(text)) {
		text = strings.TrimSpace(text)
		if found := heading.FindStringSubmatch(text); found != nil {
			table = found[1]
		}
		if found := line.FindStringSubmatch(text); found != nil {
			columns[table] = append(columns[table], found[1]+" "+found[2])
		}
	}
	return columns
}
