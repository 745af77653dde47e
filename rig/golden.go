package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Golden compares JSON with testdata/NAME.json, after giving what differs from run to run a stable name: IDs are
// numbered by their first appearance, times and random keys are only named. MILLRACE_UPDATE_GOLDEN=1 writes the file.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", "  "); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	stable := append(stabilize(indented.Bytes()), '\n')
	path := filepath.Join("testdata", name+".json")
	if os.Getenv("MILLRACE_UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, stable, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; MILLRACE_UPDATE_GOLDEN=1 writes it", err)
	}
	if !bytes.Equal(want, stable) {
		t.Errorf("%s differs (MILLRACE_UPDATE_GOLDEN=1 accepts it)\n got %s\nwant %s", path, stable, want)
	}
}

func stabilize(text []byte) []byte {
	numbered := map[string]string{}
	ids := regexp.MustCompile(`\b(src|trg|rpl)_[0-9a-f]{32}\b`)
	text = ids.ReplaceAllFunc(text, func(id []byte) []byte {
		if numbered[string(id)] == "" {
			numbered[string(id)] = fmt.Sprintf("%s_%d", id[:3], len(numbered)+1)
		}
		return []byte(numbered[string(id)])
	})
	text = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[0-9:.]+Z"`).ReplaceAll(text, []byte(`"TIME"`))
	text = regexp.MustCompile(`("key": ")[A-Za-z0-9_-]{32}"`).ReplaceAll(text, []byte(`${1}KEY"`))
	return regexp.MustCompile(`(/v1/receive/)[A-Za-z0-9_-]{32}"`).ReplaceAll(text, []byte(`${1}KEY"`))
}
