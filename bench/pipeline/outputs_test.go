package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	table "github.com/millrace/millrace/bench/results"
)

// stepAt is a step in which ingest and the engine took so much; it was sustained where p99 is below 1 s.
func stepAt(rate, p99 float64) Step {
	return Step{
		Asked: rate, Events: 10, Answers: map[int]int{http.StatusNoContent: 10},
		Post: Times{P50: 1, P99: 2}, Delivery: Times{P50: p99 / 2, P99: p99},
		Parts: []PartUse{
			{Name: "Kafka", MicrosPerEvent: 50, ResidentMiB: 900},
			{Name: "ClickHouse", MicrosPerEvent: 30, ResidentMiB: 800},
			{Name: "ingest", MicrosPerEvent: 20, ResidentMiB: 60},
			{Name: "processor", MicrosPerEvent: 10, ResidentMiB: 40},
			{Name: workflowAPIName, MicrosPerEvent: 99, ResidentMiB: 999},
		},
	}
}

func TestRowsPutTheGoalsBesideWhatWasReached(t *testing.T) {
	r := results{Highest: 12_000, Steps: []Step{stepAt(100, 50), stepAt(1000, 2000), stepAt(1000, 80), stepAt(24_000, 3000)}}
	want := []table.Row{
		{Section: "pipeline", What: "highest rate sustained, Apache Kafka", Unit: "events/s", Ours: 12_000, Beside: "goal, 2 cores", Theirs: 15_000, Goal: 1},
		{Section: "pipeline", What: "POST to delivery, p99, at 1000 events/s, Apache Kafka", Unit: "ms", Ours: 80, Beside: "goal", Theirs: 250, Goal: 1, IsCeiling: true},
		{Section: "pipeline", What: "RSS of all roles at 1000 events/s, Apache Kafka", Unit: "MiB", Ours: 100, Beside: "goal", Theirs: 1024, Goal: 1, IsCeiling: true},
	}
	if got := r.rows(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v", got)
	}
}

func TestWhatWasNotMeasuredHasNoRow(t *testing.T) {
	r := results{Steps: []Step{stepAt(100, 50)}}
	if got := r.rows(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestGrowthEndsWithTheFirstRateThatWasTooHigh(t *testing.T) {
	r := results{Steps: []Step{
		stepAt(3000, 1500), // a neighbour's minute: more was sustained
		stepAt(100, 50), stepAt(12_000, 400), stepAt(24_000, 3000), stepAt(16_000, 1500), stepAt(14_000, 2000), stepAt(14_000, 900),
	}}
	var rates []string
	for _, step := range r.growth() {
		rates = append(rates, fmt.Sprint(step.Asked))
	}
	if got := strings.Join(rates, " "); got != "100 12000 14000 16000" {
		t.Errorf("the rates drawn are %s", got)
	}
}

func TestRowsAndDrawingsAreToldFromAFileOfSteps(t *testing.T) {
	dir := t.TempDir()
	steps := filepath.Join(dir, "steps.json")
	r := results{Highest: 2000, IsEmbedded: true, Steps: []Step{stepAt(100, 50), stepAt(1000, 80), stepAt(2000, 90), stepAt(4000, 2000)}}
	if err := r.write(steps); err != nil {
		t.Fatal(err)
	}
	o := outputs{rows: filepath.Join(dir, "rows.json"), plots: filepath.Join(dir, "embedded")}
	if err := tell(steps, o); err != nil {
		t.Fatal(err)
	}
	rows, err := table.Read(o.rows)
	if err != nil || len(rows) != 3 {
		t.Errorf("%+v, %v", rows, err)
	}
	for name, words := range map[string][]string{
		"embedded-latency.svg": {"Latency by rate, on embedded Kafka; the last rate was not sustained", "POST to delivery, p99", "POST to 204, p50"},
		"embedded-cost.svg":    {"CPU per event by rate, on embedded Kafka", "all together", "ClickHouse", "ingest", "microseconds of CPU per event"},
	} {
		svg, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if !strings.Contains(string(svg), word) {
				t.Errorf("%s does not say %q", name, word)
			}
		}
		if strings.Contains(string(svg), workflowAPIName+"<") {
			t.Errorf("%s has a part of the rig", name)
		}
	}
}
