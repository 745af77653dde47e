// Package sample reads the events that benchmarks make their records of: posted bodies, one a line, with what Millrace reads
// of each. A body that ingest would refuse is an error, because a benchmark of it would measure something else.
package sample

import (
	"bytes"
	"fmt"
	"os"

	"github.com/millrace/millrace/bench/load"
	"github.com/millrace/millrace/schemas"
)

// Sample is a posted body and what is read of it.
type Sample struct {
	Line  int // of the file, from 1
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
	var samples []Sample
	err = load.EachLine(file, func(number int, line []byte) error {
		body := bytes.Clone(line)
		track, err := schemas.ParseTrack(body)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		samples = append(samples, Sample{number, body, track})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s has no events", path)
	}
	return samples, nil
}
