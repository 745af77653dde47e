package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// written writes results of one step, in which ingest took so much and the topics grew by so much.
func written(t *testing.T, name string, runs int, micros, bytes float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	r := results{Steps: []Step{{
		Events: 1000, Runs: runs, Topics: []Topic{{Name: "events", BytesPerEvent: bytes}},
		Parts: []PartUse{{Name: "ingest", MicrosPerEvent: micros}, {Name: workflowAPIName, MicrosPerEvent: 99}},
	}}}
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPlanTellsWhatARunCostsFromTheDifference(t *testing.T) {
	c, err := readCosts(written(t, "without", 0, 40, 500), written(t, "with", 500, 50, 600))
	if err != nil {
		t.Fatal(err)
	}
	// Half a run an event took 10 µs and 100 bytes more.
	if ingest := c.cpu["ingest"]; ingest != (unit{40, 20}) || c.kafka != (unit{500, 200}) || c.all != (unit{40, 20}) {
		t.Errorf("%+v", c)
	}
	if got := c.all.at(0.1); math.Abs(got-42) > 1e-9 {
		t.Errorf("an event with 0.1 runs costs %g µs", got)
	}
}

func TestAPlanRefusesMeasurementsThatDoNotFit(t *testing.T) {
	without, with := written(t, "without", 0, 40, 500), written(t, "with", 500, 50, 600)
	for _, files := range []string{with + "," + without, without + "," + without, without, "nowhere," + with} {
		if err := plan(files, 0.1); err == nil {
			t.Errorf("%s is taken", strings.ReplaceAll(files, t.TempDir(), ""))
		}
	}
}
