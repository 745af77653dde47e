package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/schemas"
)

// How the command line shows what a dry run found.

func writeDryRun(table *tabwriter.Writer, found api.DryRun, triggers []replayTrigger) error {
	writeDryRunCounts(table, found)
	fmt.Fprintln(table)
	row(table, "EVENTS BY TRIGGER", "NEW", "SAME", "CHANGED", "UNCOMPARED", "NO LONGER", "FAILED THEN", "FAILS NOW")
	labels := map[string]string{}
	for i, d := range found.Diff {
		labels[d.TriggerID] = d.TriggerID
		if i < len(triggers) {
			labels[d.TriggerID] = triggers[i].label
		}
		row(table, labels[d.TriggerID], d.NewlyMatched, d.Same, d.Changed, d.Uncompared, d.NoLonger, d.FailedThen, d.FailsNow)
	}
	if err := table.Flush(); err != nil { // what follows is in no columns
		return err
	}
	for _, sample := range found.Samples {
		fmt.Fprintln(table)
		writeReplaySample(table, sample, cmp.Or(labels[sample.TriggerID], sample.TriggerID))
	}
	return nil
}

func writeDryRunCounts(table *tabwriter.Writer, found api.DryRun) {
	row(table, "from", stamp(found.From))
	row(table, "to", stamp(found.To))
	writeReplayCounts(table, found.ReplayProgress, "runs to create", "runs that exist already")
}

// writeReplayCounts writes what a replay, or a dry run, has come to.
func writeReplayCounts(table *tabwriter.Writer, counts schemas.ReplayProgress, created, existed string) {
	row(table, "events read", counts.Read)
	row(table, "  of another status", counts.Skipped)
	row(table, "  asked about", counts.Matched)
	row(table, created, counts.Created)
	row(table, existed, counts.Existed)
	for _, reason := range slices.Sorted(maps.Keys(counts.Errors)) {
		row(table, "error", fmt.Sprintf("%d times: %s", counts.Errors[reason], reason))
	}
}

func writeReplaySample(table *tabwriter.Writer, sample schemas.ReplaySample, trigger string) {
	note := ""
	switch {
	case sample.ExistsAlready && sample.DiffersFromThen:
		note = ", exists already, with another request"
	case sample.ExistsAlready:
		note = ", exists already"
	case sample.DiffersFromThen:
		note = ", was created with another request"
	}
	row(table, fmt.Sprintf("%s of event %s (%s) through %s to workflow %s%s", sample.RunID, sample.EventID, sample.Event, trigger, sample.Workflow, note))
	var pretty bytes.Buffer
	if sample.RequestIsCut || json.Indent(&pretty, []byte(sample.Request), "  ", "  ") != nil {
		row(table, "  "+sample.Request+" ...")
		return
	}
	for line := range bytes.Lines(pretty.Bytes()) {
		row(table, "  "+string(bytes.TrimRight(bytes.TrimPrefix(line, []byte("  ")), "\n")))
	}
}
