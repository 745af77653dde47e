// Package results holds what benchmarks say beside what they print: rows for the one table of `make bench`. A row has no
// figure without the one that it is compared with, measured in the same run. Each benchmark writes a file of them where its
// flag -json says, and bench/report puts the files together.
package results

import (
	"encoding/json"
	"fmt"
	"os"
)

// Row is one comparison.
type Row struct {
	Section string  `json:"section"` // ingest, processor, event log, queries, pipeline
	What    string  `json:"what"`    // what was measured, with its conditions: "requests, 256 connections"
	Unit    string  `json:"unit"`    // events/s, us CPU an event, ms, MiB
	Ours    float64 `json:"ours"`
	Beside  string  `json:"beside"` // what stands beside it: "prototype", "Redpanda Connect 4.62.0", "1 GiB"
	Theirs  float64 `json:"theirs"`
	// Goal is what ours divided by theirs should be: at least, or with IsCeiling at most. Zero where there is none.
	Goal      float64 `json:"goal,omitempty"`
	IsCeiling bool    `json:"is_ceiling,omitempty"`
}

// Ratio is ours divided by theirs.
func (r Row) Ratio() float64 { return r.Ours / r.Theirs }

// IsMet tells whether the goal is reached; rows without one have nothing to miss.
func (r Row) IsMet() bool {
	switch {
	case r.Goal == 0:
		return true
	case r.IsCeiling:
		return r.Ratio() <= r.Goal
	default:
		return r.Ratio() >= r.Goal
	}
}

// Write writes rows to a file; without a path it writes nothing.
func Write(path string, rows []Row) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(rows, "", "\t")
	if err != nil {
		return fmt.Errorf("encoding the results: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// Read reads what Write wrote.
func Read(path string) ([]Row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	var rows []Row
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("reading results of %s: %w", path, err)
	}
	return rows, nil
}
