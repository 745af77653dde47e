package eventlog_test

import (
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/millrace/millrace/eventlog"
)

// TestGrantsAreUnderstood has the engine parse them; it has no users to try them with.
func TestGrantsAreUnderstood(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	for _, cluster := range []string{"", "my-cluster"} {
		grants, err := eventlog.Grants(eventlog.Config{DSN: "clickhouse://a:9000/log", Cluster: cluster, Flush: r.config.Flush})
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range grants {
			var text string
			if err := r.conn.QueryRow(t.Context(), "SELECT formatQuerySingleLine({statement:String})", clickhouse.Named("statement", statement)).Scan(&text); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
			if got := strings.Contains(text, "ON CLUSTER"); got != (cluster != "") {
				t.Errorf("on cluster %q: %s", cluster, text)
			}
			if strings.HasPrefix(text, "GRANT") && strings.HasSuffix(text, "millrace_sql") && text != "GRANT SELECT ON log.* TO millrace_sql" && cluster == "" {
				t.Errorf("who asks in SQL may do more than read: %s", text)
			}
		}
	}
}
