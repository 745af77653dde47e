package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// section is a benchmark and how it is run.
type section struct {
	name       string   // what -only calls it
	file       string   // what its files are named after
	pkg        string   // the command below bench/
	targets    []string // of make, that it needs
	needsKafka bool     // Apache Kafka
	isDrawn    bool
	arguments  []string
}

// names are those of all sections, in the order of the table.
func names() []string {
	return []string{"ingest", "processor", "eventlog", "query", "pipeline", "pipeline-embedded"}
}

// sections returns all of them, in the order of the table.
func sections(s settings) []section {
	// either returns a flag as it is when it matters, or when it is quick.
	either := func(full, quick []string) []string {
		if s.isQuick {
			return quick
		}
		return full
	}
	all := []section{
		{
			name: "ingest", file: "ingest", pkg: "ingest", targets: []string{"benthos"}, needsKafka: true,
			arguments: append([]string{"-kafka=" + s.kafka}, either(nil, []string{"-connections=64", "-rounds=1", "-for=1s"})...),
		},
		{
			name: "processor", file: "processor", pkg: "processor", targets: []string{"build", "streams"}, needsKafka: true,
			arguments: either(nil, []string{"-events=100000", "-rounds=1"}),
		},
		{
			name: "eventlog", file: "eventlog", pkg: "eventlog", targets: []string{"build", "library"},
			arguments: either(nil, []string{"-events=100000", "-rounds=1"}),
		},
	}
	rows := s.rows
	if s.isQuick {
		rows = []uint64{100_000}
	}
	for _, count := range rows {
		all = append(all, section{
			name: "query", file: fmt.Sprint("query-", count), pkg: "query", targets: []string{"build", "library"},
			arguments: append(s.log(count), either(nil, []string{"-rounds=3"})...),
		})
	}
	// One event name in eight has triggers whose conditions hold: a run for every event is a workflow API's benchmark.
	growth := append([]string{"-only=Order Completed"}, either(
		[]string{"-rates=100,300,1000,3000,6000", "-find", "-for=30s", "-limit=1h"},
		[]string{"-rates=100,500,1000", "-for=3s", "-warm-up=1s", "-settle=2s"},
	)...)
	return append(
		all,
		section{
			name: "pipeline", file: "pipeline", pkg: "pipeline", targets: []string{"build", "library"},
			needsKafka: true, isDrawn: true, arguments: growth,
		},
		section{
			name: "pipeline-embedded", file: "pipeline-embedded", pkg: "pipeline", targets: []string{"build", "library"},
			isDrawn: true, arguments: append([]string{"-embedded"}, growth...),
		},
	)
}

// log says over how many events the queries are asked, and where those stay.
func (s settings) log(rows uint64) []string {
	arguments := []string{fmt.Sprint("-rows=", rows)}
	if s.logs != "" {
		arguments = append(arguments, "-dir="+filepath.Join(s.logs, fmt.Sprint("query-", rows)))
	}
	return arguments
}

// wants tells whether a section is to run.
func (s settings) wants(one section) bool {
	return len(s.only) == 0 || slices.Contains(s.only, one.name)
}

// The files of a section: its rows, what it measured of each rate where it does, and how it ran.
func (one section) rowsFile(dir string) string { return filepath.Join(dir, one.file+".rows.json") }

func (one section) stepsFile(dir string) string { return filepath.Join(dir, one.file+".steps.json") }
func (one section) runFile(dir string) string   { return filepath.Join(dir, one.file+".run.json") }

// drawings are the files that a section draws.
func (one section) drawings(plots string) []string {
	if !one.isDrawn {
		return nil
	}
	return []string{filepath.Join(plots, one.file+"-latency.svg"), filepath.Join(plots, one.file+"-cost.svg")}
}

// flags are the arguments with the files that it is to write.
func (one section) flags(s settings) []string {
	all := append(slices.Clone(one.arguments), "-json="+one.rowsFile(s.dir))
	if one.isDrawn {
		all = append(all, "-steps="+one.stepsFile(s.dir), "-plots="+filepath.Join(s.plots, one.file))
	}
	return all
}

// command is what somebody types to run the section alone.
func (one section) command(s settings) string {
	words := append([]string{"go", "run", "./bench/" + one.pkg}, one.flags(s)...)
	for i, word := range words {
		if strings.Contains(word, " ") {
			words[i] = "'" + word + "'"
		}
	}
	return strings.Join(words, " ")
}
