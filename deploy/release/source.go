package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// source is the working tree, and what is said of it in what is built. Without git it has neither commit nor date.
type source struct {
	root    string
	version string // of a tag v1.2.3 it is 1.2.3; of everything else it sorts below all releases
	commit  string
	date    time.Time // of the commit
}

// noDate stands in archives of a tree without a commit: the oldest that all tools understand.
func noDate() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

func readSource(ctx context.Context, root string) (source, error) {
	tree := source{root: root, version: "0.0.0-dev", date: noDate()}
	seconds, err := git(ctx, root, "show", "-s", "--format=%ct")
	if err != nil {
		fmt.Fprintln(os.Stderr, "release: without a commit:", err)
		return tree, nil
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return source{}, fmt.Errorf("the commit's date: %w", err)
	}
	tree.date = time.Unix(unix, 0).UTC()
	if tree.commit, err = git(ctx, root, "rev-parse", "HEAD"); err != nil {
		return source{}, err
	}
	changes, err := git(ctx, root, "status", "--porcelain")
	if err != nil {
		return source{}, err
	}
	if changes != "" {
		tree.version += ".g" + tree.commit[:12] + ".dirty"
		tree.commit += "-dirty"
		return tree, nil
	}
	tags, err := git(ctx, root, "tag", "--points-at=HEAD", "--list", "--sort=-version:refname", "v[0-9]*")
	if err != nil {
		return source{}, err
	}
	if tags == "" {
		tree.version += ".g" + tree.commit[:12]
		return tree, nil
	}
	newest, _, _ := strings.Cut(tags, "\n")
	tree.version = strings.TrimPrefix(newest, "v")
	return tree, tree.isInChangelog()
}

// isInChangelog refuses a tag of which users would not learn what it changes.
func (s source) isInChangelog() error {
	text, err := os.ReadFile(filepath.Join(s.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		heading, found := strings.CutPrefix(line, "## ")
		if words := strings.Fields(heading); found && len(words) > 0 && words[0] == s.version {
			return nil
		}
	}
	return fmt.Errorf("the tag v%s has no heading \"## %s\" in CHANGELOG.md", s.version, s.version)
}

// dateText is the date as the binary says it.
func (s source) dateText() string {
	if s.commit == "" {
		return ""
	}
	return s.date.Format(time.RFC3339)
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	said := &strings.Builder{}
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir, command.Stderr = root, said
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
