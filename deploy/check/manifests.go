package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// header stands at the top of every plain manifest.
const header = "# Made from deploy/helm/millrace by `make manifests`; change it there.\n"

// helmOnly matches what means something to Helm alone.
var helmOnly = regexp.MustCompile(`(?m)^ *(helm\.sh/[a-z-]+|app\.kubernetes\.io/managed-by): .*\n`)

// emptied matches annotations of which nothing is left.
var emptied = regexp.MustCompile(`(?m)^  annotations:\n((?:data|spec|automount))`)

// manifests are the plain manifests by file name: what the chart renders with its defaults, a file for each template.
func manifests(c chart) (map[string][]byte, error) {
	documents, err := c.render(nil)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, one := range documents {
		text := emptied.ReplaceAllString(helmOnly.ReplaceAllString(one.text, ""), "$1")
		if err := check(document{one.template, text}); err != nil {
			return nil, fmt.Errorf("the plain manifest of %s: %w in\n%s", one.template, err, text)
		}
		if files[one.template] == nil {
			files[one.template] = []byte(header)
		}
		files[one.template] = append(files[one.template], "---\n"+trimLines(text)...)
	}
	return files, nil
}

func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

func writeAll(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compareAll reports the files that differ, are missing, or that no template makes.
func compareAll(dir string, files map[string][]byte) error {
	var stale []string
	for name, text := range files {
		if has, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(has, text) {
			stale = append(stale, name)
		}
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	for _, path := range there {
		if files[filepath.Base(path)] == nil {
			stale = append(stale, filepath.Base(path))
		}
	}
	if slices.Sort(stale); len(stale) > 0 {
		err = errors.Join(err, fmt.Errorf("deploy/kubernetes is not what the chart renders (make manifests): %s", strings.Join(stale, ", ")))
	}
	return err
}
