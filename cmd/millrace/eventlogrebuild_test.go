package main

import (
	"bytes"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/millrace/millrace/eventlog"
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

func TestRebuildSaysWhatBecameOfEachTable(t *testing.T) {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 4, 2, ' ', 0)
	err := writeRebuilt(table, []eventlog.Rebuilt{
		{Table: "events", Records: 900, Copied: 90, Caught: 10, Seconds: 2},
		{Table: "runs", Records: 1, Seconds: 0.5, Unknown: 3, Kept: "runs_before_rebuild", Proof: []eventlog.Verified{{Topic: "millrace.runs", Missing: 1, FirstMissing: 7}}},
	})
	if err != nil || table.Flush() != nil {
		t.Fatal(err)
	}
	want := "" +
		"TABLE   RECORDS  COPIED  CAUGHT UP  SECONDS  ROWS/S  RESULT\n" +
		"events  900      90      10         2.0      500     exact\n" +
		"runs    1        0       0          0.5      2       millrace.runs, partition 0: MISSING from offset 7; 3 old rows are not in Kafka; the old table is runs_before_rebuild\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
