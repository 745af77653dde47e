package eventlog_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/millrace/millrace/eventlog"
)

// migrateAhead does to the tables what the migrations of a newer release may do.
func (r *rig) migrateAhead() {
	r.tb.Helper()
	r.exec("ALTER TABLE events ADD COLUMN tier LowCardinality(String) DEFAULT 'none' AFTER event")
	r.exec("ALTER TABLE decisions ADD COLUMN cost UInt32 DEFAULT 7 FIRST")
	r.exec("CREATE TABLE IF NOT EXISTS later (at DateTime) ENGINE = MergeTree ORDER BY at")
	r.exec("INSERT INTO schema_migrations SELECT '9001_tier.sql', 'x', now64(3)")
}

func TestWriterGoesOnInTablesThatANewerReleaseHasMigrated(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	stop := r.start()
	before := r.many(200)
	produce(t, r.client, before...)
	r.reaches(len(before), "SELECT count() FROM events")
	r.migrateAhead()
	during := r.many(200)
	produce(t, r.client, during...)
	r.reaches(len(before)+len(during), "SELECT count() FROM events")
	stop()
	// A process that starts now, of the older release, as one that was scheduled anew.
	if err := eventlog.Migrate(t.Context(), r.config, r.logger()); err != nil {
		t.Fatal(err)
	}
	r.start()
	after := r.many(200)
	produce(t, r.client, after...)
	r.reaches(len(before)+len(during)+len(after), "SELECT count() FROM events")
	r.exact("events", slices.Concat(before, during, after))
	r.exact("quarantine", nil)
	if none := r.ask("SELECT count() FROM events FINAL WHERE tier = 'none'"); none != 600 {
		t.Errorf("%d rows have the new column's default", none)
	}
}

// A newer release that is started before its migrations have run keeps what it has read until they have.
func TestWriterWaitsForItsMigrations(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	r.exec("ALTER TABLE events DROP COLUMN notes")
	sent := r.many(200)
	produce(t, r.client, sent...)
	r.start()
	eventually(t, func() error { return r.logs.has("event log cannot write") })
	if rows := r.ask("SELECT (SELECT count() FROM events) + (SELECT count() FROM quarantine)"); rows != 0 {
		t.Errorf("%d rows", rows)
	}
	r.exec("ALTER TABLE events ADD COLUMN notes Array(String)")
	r.reaches(len(sent), "SELECT count() FROM events")
	r.exact("events", sent)
	r.exact("quarantine", nil)
}

// Writers of the release before are at work when migrations run, and come back when an upgrade is taken back: what
// these do not know they do not miss, but nothing that they know may go or change. docs/adr/0022-record-versions.md.
func TestMigrationsOnlyAdd(t *testing.T) {
	plan, err := eventlog.Plan(eventlog.Config{DSN: "clickhouse://127.0.0.1:9000/millrace", Flush: newRig(t, sharedEngine(t)).config.Flush})
	if err != nil {
		t.Fatal(err)
	}
	adds := regexp.MustCompile(`^(--.*\n)*\s*(CREATE (DATABASE|TABLE) IF NOT EXISTS|ALTER TABLE \w+\s+ADD (COLUMN|INDEX) IF NOT EXISTS)`)
	takes := regexp.MustCompile(`(?m)^\s*(ALTER TABLE \w+\s+)?(DROP|MODIFY|RENAME|CLEAR|TRUNCATE)\b`)
	for _, statement := range plan {
		if !adds.MatchString(statement) || takes.MatchString(statement) {
			t.Errorf("not an addition:\n%s", statement)
		}
	}
}
