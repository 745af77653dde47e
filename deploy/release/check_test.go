package main

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The checks must be able to fail. What they are tried on is this test's own binary, which has modules like any other.

func madeUp(t *testing.T) source {
	t.Helper()
	root := t.TempDir()
	for _, f := range contents(source{root: root}, filepath.Join(root, "binary")) {
		if err := os.MkdirAll(filepath.Dir(f.from), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.from, []byte("this is "+f.name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return source{root: root, version: "1.2.3", commit: "abc", date: noDate()}
}

// release has the files of a release, with the same archive for all platforms.
func release(t *testing.T, tree source) (dist string) {
	t.Helper()
	dist = t.TempDir()
	for _, target := range targets() {
		name := target.name(tree.version)
		if err := pack(filepath.Join(dist, name+archiveSuffix), name, contents(tree, filepath.Join(tree.root, "binary")), tree.date); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dist, name+sbomSuffix), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeChecksums(dist); err != nil {
		t.Fatal(err)
	}
	return dist
}

func refused(t *testing.T, err error, because string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), because) {
		t.Errorf("not refused because of %q: %v", because, err)
	}
}

func TestFilesOfAReleaseMustBeAllAndAsTheyWere(t *testing.T) {
	tree := madeUp(t)
	dist := release(t, tree)
	if err := checkFiles(tree, dist); err != nil {
		t.Fatalf("what was made is refused: %v", err)
	}
	archive := filepath.Join(dist, targets()[0].name(tree.version)+archiveSuffix)
	file, err := os.OpenFile(archive, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("!"); err != nil {
		t.Fatal(err)
	}
	file.Close()
	refused(t, checkFiles(tree, dist), "the files have")
	if err := os.Remove(archive); err != nil {
		t.Fatal(err)
	}
	refused(t, checkFiles(tree, dist), "a release of this tree has")
}

func TestAnArchiveMustHaveTheFilesOfTheTree(t *testing.T) {
	tree := madeUp(t)
	dist := release(t, tree)
	name := targets()[0].name(tree.version)
	archive := filepath.Join(dist, name+archiveSuffix)
	dir := t.TempDir()
	if err := unpack(archive, dir, tree.date); err != nil {
		t.Fatal(err)
	}
	if err := checkContents(tree, filepath.Join(dir, name)); err != nil {
		t.Fatalf("what was packed is refused: %v", err)
	}
	refused(t, unpack(archive, t.TempDir(), tree.date.Add(2)), "should be the commit's")
	license := filepath.Join(dir, name, "LICENSE")
	if err := os.WriteFile(license, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, checkContents(tree, filepath.Join(dir, name)), "differs from")
	if err := os.Remove(license); err != nil {
		t.Fatal(err)
	}
	refused(t, checkContents(tree, filepath.Join(dir, name)), "LICENSE: no such file")
}

func TestAnSBOMMustListWhatTheBinaryHas(t *testing.T) {
	tree := madeUp(t)
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sbom")
	if err := writeSBOM(tree, binary, path); err != nil {
		t.Fatal(err)
	}
	if err := checkSBOM(path, tree, info); err != nil {
		t.Fatalf("what was written is refused: %v", err)
	}
	gone := info.Deps[0]
	info.Deps = info.Deps[1:]
	refused(t, checkSBOM(path, tree, info), "lists "+gone.Path+" "+gone.Version+", which the binary has not")
	another := *gone
	another.Version = "v99.0.0"
	info.Deps = append(info.Deps, &another)
	refused(t, checkSBOM(path, tree, info), "does not list "+gone.Path+" v99.0.0")
	tree.version = "1.2.4"
	refused(t, checkSBOM(path, tree, info), "not of")
}

func TestABinaryMustBeForItsPlatform(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets() {
		if target.os != runtime.GOOS || target.arch != runtime.GOARCH {
			refused(t, checkFormat(binary, target), "")
			refused(t, checkSettings(info, target), "GO")
		}
	}
}

func TestABinaryMustNotNameDirectoriesOfTheMachine(t *testing.T) {
	root := t.TempDir()
	binary := filepath.Join(root, "binary")
	if err := os.WriteFile(binary, []byte("9.9.9 "+root+"/main.go"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, checkTraces(t.Context(), source{root: root, version: "9.9.9"}, binary), "contains the directory")
	refused(t, checkTraces(t.Context(), source{root: "/nowhere", version: "9.9.8"}, binary), `does not contain "9.9.8"`)
}
