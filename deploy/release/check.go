package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// checkRelease holds what is in the directory against the tree, and says everything that is wrong.
func checkRelease(ctx context.Context, tree source, dist, library string) error {
	if err := checkFiles(tree, dist); err != nil {
		return err
	}
	var problems []error
	for _, t := range targets() {
		if err := checkTarget(ctx, tree, t, dist, library); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", t, err))
		}
	}
	problems = append(problems, checkAgain(ctx, tree, dist))
	return errors.Join(problems...)
}

// checkFiles compares the names in the directory with those of a release, and their bytes with the checksums.
func checkFiles(tree source, dist string) error {
	expected := []string{checksums}
	for _, t := range targets() {
		expected = append(expected, t.name(tree.version)+archiveSuffix, t.name(tree.version)+sbomSuffix)
	}
	slices.Sort(expected)
	entries, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if !slices.Equal(names, expected) {
		return fmt.Errorf("%s has\n  %s\nand a release of this tree has\n  %s", dist, strings.Join(names, "\n  "), strings.Join(expected, "\n  "))
	}
	said, err := os.ReadFile(filepath.Join(dist, checksums))
	if err != nil {
		return err
	}
	found, err := sumAll(dist)
	if err != nil {
		return err
	}
	if string(said) != found {
		return fmt.Errorf("%s says\n%sand the files have\n%s", checksums, said, found)
	}
	return nil
}

func checkTarget(ctx context.Context, tree source, t target, dist, library string) error {
	work, err := os.MkdirTemp("", "millrace-check-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // what stays costs only space
	name := t.name(tree.version)
	if err := unpack(filepath.Join(dist, name+archiveSuffix), work, tree.date); err != nil {
		return err
	}
	dir := filepath.Join(work, name)
	if err := checkContents(tree, dir); err != nil {
		return err
	}
	binary := filepath.Join(dir, "millrace")
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("what the binary says of itself: %w", err)
	}
	err = errors.Join(checkFormat(binary, t), checkSettings(info, t), checkTraces(ctx, tree, binary), checkSBOM(filepath.Join(dist, name+sbomSuffix), tree, info))
	if err == nil && t.os == runtime.GOOS && t.arch == runtime.GOARCH {
		err = checkRunning(ctx, tree, binary, library)
	}
	return err
}

// checkContents compares an unpacked archive with the files it is made of; of the binary it knows the mode only.
func checkContents(tree source, dir string) error {
	expected := contents(tree, filepath.Join(dir, "millrace"))
	var problems []error
	for _, f := range expected {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		stat, err := os.Stat(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if int64(stat.Mode().Perm()) != f.mode {
			problems = append(problems, fmt.Errorf("%s has the mode %o and should have %o", f.name, stat.Mode().Perm(), f.mode))
		}
		if err := sameContent(path, f.from); err != nil {
			problems = append(problems, err)
		}
	}
	if found := countFiles(dir); found != len(expected) {
		problems = append(problems, fmt.Errorf("the archive has %d files and should have %d", found, len(expected)))
	}
	return errors.Join(problems...)
}

func sameContent(a, b string) error {
	first, err := os.ReadFile(a)
	if err != nil {
		return err
	}
	second, err := os.ReadFile(b)
	if err == nil && !bytes.Equal(first, second) {
		return fmt.Errorf("%s differs from %s", a, b)
	}
	return err
}

func countFiles(dir string) int {
	count := 0
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			count++
		}
		return nil
	})
	return count
}

// checkAgain makes the release once more, beside, and compares the bytes.
func checkAgain(ctx context.Context, tree source, dist string) error {
	again, err := os.MkdirTemp("", "millrace-again-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(again) }() // what stays costs only space
	if err := makeRelease(ctx, tree, again); err != nil {
		return fmt.Errorf("making it again: %w", err)
	}
	if err := sameContent(filepath.Join(dist, checksums), filepath.Join(again, checksums)); err != nil {
		return fmt.Errorf("made again, it has other bytes: %w", err)
	}
	return nil
}
