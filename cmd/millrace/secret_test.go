package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreMadeOnceAndDiffer(t *testing.T) {
	c := &cli{t: t}
	dir := t.TempDir()
	token, key := filepath.Join(dir, "token"), filepath.Join(dir, "key")
	c.run(0, "secret", token)
	c.run(0, "secret", token, key)
	out, _ := c.run(0, "secret", "--print", token, key)
	first := readFile(t, token)
	if lines := strings.Fields(out); len(lines) != 2 || lines[0] == lines[1] || lines[0]+"\n" != first {
		t.Fatalf("%q, where the file has %q", out, first)
	}
	if secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(first)); err != nil || len(secret) != 32 {
		t.Errorf("%q: %v", first, err)
	}
	c.run(0, "secret", token)
	if got := readFile(t, token); got != first {
		t.Errorf("a secret that was there has changed")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("the directory has %v: %v", left, err)
	}
	c.fails([]string{"making the secret"}, "secret", filepath.Join(dir, "missing", "token"))
	c.fails([]string{"reading secret"}, "secret", "--print", filepath.Join(dir, "missing"))
}
