package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/millrace/millrace/bench/results"
)

// canned are outcomes of all kinds: goals met and missed, a wide row, one that took nothing, and sections without figures.
func canned() []outcome {
	at := time.Date(2026, 11, 28, 12, 30, 0, 0, time.UTC)
	return []outcome{
		{Name: "ingest", Problem: "it was left out, by -only=processor,query"},
		{
			Name: "processor", Command: "go run ./bench/processor -json=processor.rows.json", Began: at, Took: 83 * time.Second, Load: "0.10 0.20 0.30", Commit: "1234567",
			Rows: []results.Row{
				{Section: "processor", What: "dedup, exactly once", Unit: "events/s", Ours: 312_345, Beside: "Kafka Streams, exactly_once_v2", Theirs: 41_000, Goal: 3},
				{Section: "processor", What: "dedup, exactly once", Unit: "us CPU/event", Ours: 5.318, Beside: "bare loop, exactly once", Theirs: 3.4},
			},
		},
		{
			Name: "query-10000000", Command: "go run ./bench/query -rows=10000000", Began: at.Add(2 * time.Minute), Took: time.Hour, Load: "1 2 3",
			Rows: []results.Row{
				{Section: "queries", What: "free text: a word of one event of a day | 10M events", Unit: "ms, p95", Ours: 1250, Beside: "limit", Theirs: 1000, Goal: 1, IsCeiling: true},
				{Section: "queries", What: "nothing", Unit: "ms, p95", Ours: 0, Beside: "nothing", Theirs: 0},
			},
		},
		{
			Name: "pipeline", Command: "go run ./bench/pipeline -find", Began: at.Add(time.Hour), Took: 12 * time.Minute, Load: "0 0 0",
			Drawings: []string{"bench/plots/pipeline-latency.svg"},
			Rows:     []results.Row{{Section: "pipeline", What: "highest rate sustained, Apache Kafka", Unit: "events/s", Ours: 15_000, Beside: "goal, 2 cores", Theirs: 15_000, Goal: 1}},
		},
		{Name: "pipeline-embedded", Command: "go run ./bench/pipeline -embedded", Began: at.Add(2 * time.Hour), Problem: "bench/pipeline: exit\nstatus 1"},
	}
}

// golden compares with a file; MILLRACE_UPDATE_GOLDEN=1 accepts what there is now.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("MILLRACE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (MILLRACE_UPDATE_GOLDEN=1 accepts it)\n got %s\nwant %s", path, got, want)
	}
}

func TestTheTableAsText(t *testing.T) {
	table := text(entriesOf(canned()))
	for line := range strings.SplitSeq(table, "\n") {
		if utf8.RuneCountInString(line) > 120 {
			t.Errorf("wider than 120 columns: %q", line)
		}
	}
	golden(t, "table.txt", table+"\n")
}

func TestTheDocument(t *testing.T) {
	found := setting{Machine: []fact{{"CPU", "some"}, {"cores", "2"}}, Versions: []fact{{"Go", "go1.26"}}}
	text := document("bench", found, canned(), time.Date(2026, 11, 28, 15, 0, 0, 0, time.UTC))
	golden(t, "RESULTS.md", text)
}

func TestAQuickRunIsSaidToBeOne(t *testing.T) {
	outcomes := canned()
	outcomes[3].IsQuick = true
	if text := document("bench", setting{}, outcomes, time.Now()); !strings.Contains(text, "**This was a quick run") {
		t.Error(text)
	}
}

// TestResultsAreReadAgain reads what a run left: a section that went well, one that failed, and others that never ran.
func TestResultsAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	s, err := parse([]string{"-from=" + dir, "-rows=20", "-out=" + filepath.Join(dir, "RESULTS.md")})
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, value any) {
		t.Helper()
		if err := writeJSON(filepath.Join(dir, name), value); err != nil {
			t.Fatal(err)
		}
	}
	write("setting.json", setting{Machine: []fact{{"cores", "2"}}})
	write("processor.run.json", canned()[1])
	write("processor.rows.json", canned()[1].Rows)
	write("query-20.run.json", canned()[2])
	write("query-20.rows.json", []results.Row{})
	write("pipeline-embedded.run.json", canned()[4])
	err = report(context.Background(), s)
	if err == nil || err.Error() != "no figures of ingest, eventlog, query-10000000, pipeline, pipeline-embedded" {
		t.Errorf("the run is told as: %v", err)
	}
	document, err := os.ReadFile(s.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"312,345", "NO FIGURES: it was not run**", "it wrote no rows", "exit status 1", "| cores | 2 |", "load 0.10 0.20 0.30, commit 1234567"} {
		if !strings.Contains(string(document), part) {
			t.Errorf("the document does not say %q:\n%s", part, document)
		}
	}
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, arguments := range [][]string{{"-only=ingest,nothing"}, {"-rows=many"}, {"-rows=0"}, {"ingest"}} {
		if _, err := parse(arguments); err == nil {
			t.Errorf("%q is taken", arguments)
		}
	}
	s, err := parse([]string{"-only=ingest,pipeline", "-rows=10,20"})
	if err != nil || len(sections(s)) != 7 {
		t.Fatalf("%+v, %v", s, err)
	}
	var wanted []string
	for _, one := range sections(s) {
		if s.wants(one) {
			wanted = append(wanted, one.file)
		}
	}
	if got := strings.Join(wanted, " "); got != "ingest pipeline" {
		t.Errorf("what is wanted is %s", got)
	}
}

func TestEventLogsThatStayHaveADirectoryEach(t *testing.T) {
	s, err := parse([]string{"-rows=10,20", "-logs=kept"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range sections(s) {
		if one.name == "query" {
			got = append(got, strings.Join(one.arguments, " "))
		}
	}
	if want := "-rows=10 -dir=kept/query-10, -rows=20 -dir=kept/query-20"; strings.Join(got, ", ") != want {
		t.Errorf("the queries are asked with %s", got)
	}
}

// TestAQuickSectionIsShorter keeps -quick from being forgotten where a section is added.
func TestAQuickSectionIsShorter(t *testing.T) {
	full, quick := settings{rows: []uint64{10_000_000}}, settings{rows: []uint64{10_000_000}, isQuick: true}
	for i, one := range sections(full) {
		if one.command(full) == sections(quick)[i].command(quick) {
			t.Errorf("%s is not shorter", one.name)
		}
	}
}

// TestAFailureNamesItsReason runs programs that fail; the reason is the last that they say.
func TestAFailureNamesItsReason(t *testing.T) {
	for script, want := range map[string]string{
		"echo first >&2; echo 'bench/x: no broker' >&2; exit 3":                        "exit status 3: bench/x: no broker",
		"printf 'bar 10%%\\rbar 20%%\\nit is wrong\\nexit status 1\\n\\n' >&2; exit 1": "exit status 1: it is wrong",
		"head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; echo over >&2; exit 2":   "exit status 2: over",
	} {
		if err := inherit(t.Context(), "sh", "-c", script); err == nil || err.Error() != want {
			t.Errorf("%s: %v", script, err)
		}
	}
}
