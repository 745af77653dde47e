package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/millrace/millrace/kafka"
)

func TestPermissionsArePrintedForEachRole(t *testing.T) {
	status, out, errors := printed(t, "acls")
	for _, role := range kafka.Roles() {
		if !strings.Contains(out, "--allow-principal User:"+role+" ") {
			t.Errorf("status %d: nothing for %s in\n%s%s", status, role, out, errors)
		}
	}
	_, out, _ = printed(t, "acls", "ingest", "--principal=User:in", "--kafka-topic-prefix=my.")
	if !strings.Contains(out, "--allow-principal User:in --operation Write --topic my.events\n") || strings.Contains(out, "my.runs") {
		t.Errorf("got\n%s", out)
	}
	if status, _, errors = printed(t, "acls", "console"); status != exitFailed || !strings.Contains(errors, "does not come to Kafka") {
		t.Errorf("%d %s", status, errors)
	}
	if status, _, errors = printed(t, "acls", "--principal=User:x"); status == 0 || !strings.Contains(errors, "name the role") {
		t.Errorf("%d %s", status, errors)
	}
}

func TestGrantsArePrinted(t *testing.T) {
	status, out, errors := printed(t, "grants", "--clickhouse-dsn=https://a:8443/log")
	if status != 0 || !strings.Contains(out, "GRANT SELECT, INSERT ON log.* TO millrace_eventlog;\n") {
		t.Errorf("%d %s\n%s", status, errors, out)
	}
	if status, _, errors = printed(t, "grants"); status != exitFailed || !strings.Contains(errors, "--clickhouse-dsn") {
		t.Errorf("%d %s", status, errors)
	}
}

// printed runs a command that connects to nothing.
func printed(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, problem bytes.Buffer
	status = run(t.Context(), args, terminal{strings.NewReader(""), &out, &problem, false})
	return status, out.String(), problem.String()
}
