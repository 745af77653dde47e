package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The image has no dynamic linker: a binary that asks for one does not start there, and says only "no such file".
func TestTheStaticBinaryNeedsNoDynamicLinker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "millrace")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags=static", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	binary, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	for _, part := range binary.Progs {
		if part.Type == elf.PT_INTERP {
			t.Error("the binary asks for a dynamic linker")
		}
	}
	if libraries, err := binary.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the binary asks for %v", libraries)
	}
	out, err := exec.CommandContext(t.Context(), path, "library", "--data-dir="+t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--clickhouse-dsn") {
		t.Errorf("millrace library: %v: %s", err, out)
	}
}
