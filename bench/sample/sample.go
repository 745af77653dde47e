// Package sample reads the events that benchmarks make their records of: posted bodies, one a line, with what Millrace reads
// of each. A body that ingest would refuse is an error, because a benchmark of it would measure something else.
package sample

import (
	"fmt"
	"os"

	"github.com/millrace/millrace/bench/load"
	"github.com/millrace/millrace/schemas"
)

// Sample is a posted body and what is read of it.
type Sample struct {
	Body  []byte
	Track schemas.Track
}

// Read returns the events of an NDJSON file. It fails where there are none.
func Read(path string) ([]Sample, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the events: %w", err)
	}
	defer file.Close()
	bodies, err := load.ReadLines(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("%s has no events", path)
	}
	samples := make([]Sample, len(bodies))
	for i, body := range bodies {
		track, err := schemas.ParseTrack(body)
		if err != nil {
			return nil, fmt.Errorf("%s, event %d: %w", path, i+1, err)
		}
		samples[i] = Sample{body, track}
	}
	return samples, nil
}
