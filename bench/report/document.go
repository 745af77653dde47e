package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// writeDocument writes what somebody needs who wants to repeat it.
func writeDocument(path string, found setting, outcomes []outcome, now time.Time) error {
	if err := os.WriteFile(path, []byte(document(filepath.Dir(path), found, outcomes, now)), 0o644); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

func document(dir string, found setting, outcomes []outcome, now time.Time) string {
	var b strings.Builder
	b.WriteString("# What the benchmarks said\n\nWritten by `make bench` (`bench/report/`) on " + now.UTC().Format("2 January 2006, 15:04 MST") + ". Do not edit.\n\n")
	if slices.ContainsFunc(outcomes, func(o outcome) bool { return o.IsQuick }) {
		b.WriteString("**This was a quick run (`-quick`), with short times and few events: its figures mean little.**\n\n")
	}
	if err := incomplete(outcomes); err != nil {
		b.WriteString("**Not complete: " + err.Error() + ". The table says why.**\n\n")
	}
	b.WriteString("What stands in one line was measured in one run, in turn where there are several contenders, and is the median of their" +
		" turns. Ratio is ours divided by theirs. CPU is that of the contender's processes, never of the sender; where it says so, of the" +
		" engine. Figures of other machines differ: compare ratios.\n\n")
	b.WriteString(markdown(entriesOf(outcomes)))
	for _, o := range outcomes {
		for _, drawing := range o.Drawings {
			fmt.Fprintf(&b, "\n![%s](%s)\n", strings.TrimSuffix(filepath.Base(drawing), ".svg"), relative(dir, drawing))
		}
	}
	facts(&b, "Machine", found.Machine)
	facts(&b, "Versions", found.Versions)
	b.WriteString("\n## Commands\n\nEach section by itself, where `make build library streams benthos` has been run; those with Apache Kafka after `make kafka-up`." +
		" Load is the machine's of the last 1, 5 and 15 minutes before; the commit is that of Millrace.\n")
	for _, o := range outcomes {
		if o.Began.IsZero() {
			continue
		}
		fmt.Fprintf(&b, "\n%s, %s, took %s, load %s, commit %s:\n\n```sh\n%s\n```\n", o.Name, o.Began.UTC().Format("2006-01-02 15:04 MST"),
			o.Took.Round(time.Second), o.Load, o.Commit, o.Command)
	}
	return b.String()
}

func facts(b *strings.Builder, title string, all []fact) {
	fmt.Fprintf(b, "\n## %s\n\n| | |\n|---|---|\n", title)
	for _, f := range all {
		fmt.Fprintf(b, "| %s | %s |\n", f.Name, f.Value)
	}
}

// relative returns where a file is, seen from a directory.
func relative(dir, path string) string {
	if found, err := filepath.Rel(dir, path); err == nil {
		return filepath.ToSlash(found)
	}
	return path
}
