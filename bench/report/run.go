package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/millrace/millrace/rig/lifetime"
)

// stopPatience is how long a benchmark may take to end what it started.
const stopPatience = 2 * time.Minute

// runAll runs the sections that are wanted. One that fails is told of, and the next one runs.
func runAll(ctx context.Context, s settings) (setting, []outcome, error) {
	for _, dir := range []string{s.dir, s.plots} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return setting{}, nil, fmt.Errorf("making the directory of the results: %w", err)
		}
	}
	found := readSetting(ctx)
	if err := writeJSON(settingFile(s.dir), found); err != nil {
		return found, nil, err
	}
	var outcomes []outcome
	all := sections(s)
	for i, one := range all {
		o := newOutcome(s, one)
		switch {
		case ctx.Err() != nil:
			o.Problem = "it was not run: all was stopped before"
		case !s.wants(one):
			o.Problem = leftOut(s)
		default:
			fmt.Printf("\n== %d of %d: %s\n", i+1, len(all), o.Command)
			o = runSection(ctx, s, one)
			if o.Problem != "" {
				fmt.Printf("== %s FAILED after %s: %s\n", o.Name, o.Took.Round(time.Second), o.Problem)
			}
		}
		outcomes = append(outcomes, o)
	}
	return found, outcomes, nil
}

func leftOut(s settings) string { return "it was left out, by -only=" + strings.Join(s.only, ",") }

// runSection runs one, and keeps how that went beside what it wrote.
func runSection(ctx context.Context, s settings, one section) outcome {
	o := newOutcome(s, one)
	o.Began, o.Load, o.Commit = time.Now().Truncate(time.Second), load(), commit(ctx)
	err := forget(one.rowsFile(s.dir), one.stepsFile(s.dir), one.runFile(s.dir))
	if err == nil {
		err = run(ctx, s, one)
	}
	o.Took = time.Since(o.Began)
	if err != nil {
		o.Problem = err.Error()
	} else {
		o.Drawings = one.drawings(s.plots)
		o = o.withRows(one.rowsFile(s.dir))
	}
	if err := writeJSON(one.runFile(s.dir), o); err != nil && o.Problem == "" {
		o.Problem = err.Error()
	}
	return o
}

// forget removes what an earlier run has left: it must not pass for this one's.
func forget(paths ...string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// run makes what the section needs and runs it.
func run(ctx context.Context, s settings, one section) (err error) {
	for _, target := range one.targets {
		if err := inherit(ctx, "make", "--no-print-directory", target); err != nil {
			return fmt.Errorf("make %s: %w", target, err)
		}
	}
	program := filepath.Join(s.dir, "bin", one.pkg)
	if err := inherit(ctx, "go", "build", "-o", program, "./bench/"+one.pkg); err != nil {
		return fmt.Errorf("building bench/%s: %w", one.pkg, err)
	}
	if one.needsKafka {
		down, err := kafkaUp(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, down()) }()
	}
	if err := inherit(ctx, program, one.flags(s)...); err != nil {
		return fmt.Errorf("bench/%s: %w", one.pkg, err)
	}
	return nil
}

// inherit runs a program that prints where this one does; when it fails, the last that it said is the reason. When ctx ends
// it is asked to end, which ends what it started.
func inherit(ctx context.Context, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...)
	var said tail
	command.Stdout, command.Stderr = os.Stdout, io.MultiWriter(os.Stderr, &said)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopPatience
	lifetime.EndWithParent(command)
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, said.lastLine())
	}
	return nil
}
