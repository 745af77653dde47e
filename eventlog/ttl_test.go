package eventlog_test

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/eventlog"
)

func TestTTLOfEachTableIsTheSettings(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	ttl := eventlog.TTL{Events: 7, Rejections: 30, Decisions: 30, Runs: 30, Deliveries: 30, DeadLetters: 90, Audit: 365, Quarantine: 30}
	r.config.TTL = &ttl
	for range 2 {
		if err := eventlog.Migrate(t.Context(), r.config, r.logger()); err != nil {
			t.Fatal(err)
		}
	}
	if changes := strings.Count(r.logs.String(), "TTL changed"); changes != 2 {
		t.Errorf("%d TTLs were changed, want those of events and dead_letters, once\n%s", changes, r.logs)
	}
	f := func(table, want string) {
		t.Helper()
		if is := r.ask("SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = '" + table + "' AND create_table_query LIKE '%" + want + "%'"); is != 1 {
			t.Errorf("table %s has not %s", table, want)
		}
	}
	f("events", "TTL toDateTime(received_at) + toIntervalDay(7)")
	f("dead_letters", "TTL toDateTime(last_attempted_at) + toIntervalDay(90)")
	f("audit", "TTL toDateTime(at) + toIntervalDay(365)")
	ttl.Runs = 0
	if err := eventlog.Migrate(t.Context(), r.config, r.logger()); err == nil || !strings.Contains(err.Error(), "ttl runs") {
		t.Errorf("no error about a TTL of no days: %v", err)
	}
}
