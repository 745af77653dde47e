package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRebuildIsNotDoneUnaskedNorFromATimeThatIsNone(t *testing.T) {
	f := func(want string, flags ...string) {
		t.Helper()
		var out, problem bytes.Buffer
		args := append([]string{"eventlog", "rebuild", "--kafka-brokers=127.0.0.1:1", "--clickhouse-dsn=clickhouse://127.0.0.1:1"}, flags...)
		status := run(t.Context(), args, terminal{strings.NewReader(""), &out, &problem, false})
		if status != exitFailed || !strings.Contains(problem.String(), want) {
			t.Errorf("%q: exit status %d, %s, want %q", flags, status, problem.String(), want)
		}
	}
	f("give --yes")
	f("nor how long ago", "--from=yesterday", "--yes")
	f("reaching ClickHouse", "--from=24h", "--yes")
	f("reaching ClickHouse", "--from=2026-11-20T00:00Z", "--yes")
}
