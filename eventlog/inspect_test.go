package eventlog_test

import (
	"slices"
	"testing"

	"github.com/millrace/millrace/eventlog"
)

func TestInspectionTellsWhatMigrateWouldDo(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	config := r.config
	f := func(check func(eventlog.Inspection) bool) {
		t.Helper()
		found, err := eventlog.Inspect(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if found.Version == "" || found.Now.IsZero() || !check(found) {
			t.Errorf("%+v", found)
		}
	}
	f(func(i eventlog.Inspection) bool {
		return i.HasDatabase && len(i.Pending) == 0 && len(i.Edited) == 0 && len(i.Unknown) == 0 && len(i.TTLs) == 0
	})
	config.TTL = &eventlog.TTL{Events: 7, Rejections: 30, Decisions: 30, Runs: 30, Deliveries: 30, Quarantine: 30, Audit: 400, DeadLetters: 30}
	f(func(i eventlog.Inspection) bool {
		return slices.ContainsFunc(i.TTLs, func(c eventlog.TTLChange) bool { return c.Table == "events" && c.To == 7 && c.From != 7 })
	})
	r.exec("INSERT INTO schema_migrations SELECT name, 'other', now64(3) FROM schema_migrations WHERE name LIKE '0002%'")
	r.exec("INSERT INTO schema_migrations VALUES ('9999_later.sql', 'x', now64(3))")
	f(func(i eventlog.Inspection) bool {
		return slices.Equal(i.Edited, []string{"0002_rejections.sql"}) && slices.Equal(i.Unknown, []string{"9999_later.sql"})
	})
	config.DSN += "_none"
	f(func(i eventlog.Inspection) bool { return !i.HasDatabase && len(i.Pending) == 8 })
}
