package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository has one commit, with this change log.
func repository(t *testing.T, changelog string) (root string) {
	t.Helper()
	root = t.TempDir()
	write(t, filepath.Join(root, "CHANGELOG.md"), changelog)
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "."}, {"commit", "--quiet", "--message=first"}} {
		gitIn(t, root, args...)
	}
	return root
}

func gitIn(t *testing.T, root string, args ...string) {
	t.Helper()
	command := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	command.Dir = root
	command.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-01-02T03:04:05+02:00")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, root string) source {
	t.Helper()
	tree, err := readSource(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestOnlyACleanCheckoutOfATagIsARelease(t *testing.T) {
	root := repository(t, "# Changelog\n\n## 1.2.3 (2026-01-02)\n")
	tree := read(t, root)
	if tree.version != "0.0.0-dev.g"+tree.commit[:12] || !tree.date.Equal(time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC)) {
		t.Errorf("a commit without a tag is %+v", tree)
	}
	gitIn(t, root, "tag", "v1.2.3")
	if tagged := read(t, root); tagged.version != "1.2.3" || tagged.commit != tree.commit {
		t.Errorf("the tag is %+v", tagged)
	}
	write(t, filepath.Join(root, "new.go"), "package main\n")
	if dirty := read(t, root); dirty.version != tree.version+".dirty" || dirty.commit != tree.commit+"-dirty" {
		t.Errorf("with another file it is %+v", dirty)
	}
}

func TestATagThatTheChangelogDoesNotKnowIsRefused(t *testing.T) {
	root := repository(t, "# Changelog\n\n## Unreleased\n\n## 1.2.30\n")
	gitIn(t, root, "tag", "v1.2.3")
	if _, err := readSource(t.Context(), root); err == nil || !strings.Contains(err.Error(), "CHANGELOG.md") {
		t.Errorf("not refused: %v", err)
	}
}

func TestATreeWithoutGitIsASnapshot(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	if tree := read(t, t.TempDir()); tree.version != "0.0.0-dev" || tree.commit != "" || tree.dateText() != "" {
		t.Errorf("it is %+v", tree)
	}
}
