package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// compile makes the binary of a target. Nothing of the machine goes into it: no path, no time, no setting of its go command.
func compile(ctx context.Context, tree source, t target, output string) error {
	flags := fmt.Sprintf("-s -w -X main.version=%s -X main.commit=%s -X main.date=%s", tree.version, tree.commit, tree.dateText())
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags="+t.tags, "-ldflags="+flags, "-o", output, "./cmd/millrace")
	command.Dir = tree.root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFLAGS=", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	return nil
}

// moduleCache is where this machine's go command keeps the modules.
func moduleCache(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
