package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/millrace/millrace/bench/results"
)

// outcome is how a section went.
type outcome struct {
	Name     string
	Command  string
	Began    time.Time
	Took     time.Duration
	Load     string // of the machine, before
	Commit   string // what was measured
	IsQuick  bool
	Drawings []string
	Problem  string        // why there are no rows
	Rows     []results.Row `json:"-"` // they are in a file of their own
}

// newOutcome is that of a section that has yet to run.
func newOutcome(s settings, one section) outcome {
	return outcome{Name: one.file, Command: one.command(s), IsQuick: s.isQuick}
}

// readAll reads what runAll has left, maybe in several runs.
func readAll(_ context.Context, s settings) (setting, []outcome, error) {
	s.dir = s.from
	var found setting
	if err := readJSON(settingFile(s.dir), &found); err != nil {
		return found, nil, err
	}
	var all []outcome
	for _, one := range sections(s) {
		all = append(all, readOutcome(s, one))
	}
	return found, all, nil
}

func readOutcome(s settings, one section) outcome {
	o := newOutcome(s, one)
	if !s.wants(one) {
		o.Problem = leftOut(s)
		return o
	}
	err := readJSON(one.runFile(s.dir), &o)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.Problem = "it was not run"
	case err != nil:
		o.Problem = err.Error()
	case o.Problem == "":
		return o.withRows(one.rowsFile(s.dir))
	}
	return o
}

// withRows reads the rows. A section without any has a problem.
func (o outcome) withRows(path string) outcome {
	rows, err := results.Read(path)
	switch {
	case err != nil:
		o.Problem = err.Error()
	case len(rows) == 0:
		o.Problem = "it wrote no rows"
	}
	o.Rows = rows
	return o
}

func readJSON(path string, value any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
