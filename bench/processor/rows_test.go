package main

import (
	"testing"

	table "github.com/millrace/millrace/bench/results"
)

func TestRowsPutTheProcessorBesideEachPeer(t *testing.T) {
	triggers, dedup := outcome{withTriggers, result{perSecond: 200, cpu: 9}}, outcome{dedupOnly, result{perSecond: 300, cpu: 6}}
	loop, streams := outcome{bareLoop, result{perSecond: 600, cpu: 3}}, outcome{streamsPeer, result{perSecond: 100, cpu: 18}}
	got := rows([]outcome{triggers, dedup, loop, streams})
	if len(got) != 8 {
		t.Fatalf("%d rows: %+v", len(got), got)
	}
	want := table.Row{
		Section: "processor", What: "dedup, exactly once", Unit: "events/s", Ours: 300,
		Beside: "Kafka Streams, exactly_once_v2", Theirs: 100, Goal: 3,
	}
	if got[0] != want || !got[0].IsMet() {
		t.Errorf("%+v", got[0])
	}
	for _, row := range got[1:] {
		if row.Goal != 0 {
			t.Errorf("a goal where none is: %+v", row)
		}
	}
	if last := got[len(got)-1]; last.Ours != 9 || last.Theirs != 3 || last.Unit != "us CPU/event" {
		t.Errorf("%+v", last)
	}
}

func TestAPeerThatDidNotRunHasNoRows(t *testing.T) {
	got := rows([]outcome{{dedupOnly, result{perSecond: 300}}, {bareLoop, result{perSecond: 600}}})
	if len(got) != 2 || got[0].Theirs != 600 {
		t.Errorf("%+v", got)
	}
	if got := rows([]outcome{{dedupOnly, result{perSecond: 300}}}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
