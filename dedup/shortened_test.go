package dedup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/dedup"
)

// TestSegmentMadeShorterUnderARunningIndexCostsNoProcess cuts the files off while they are mapped.
func TestSegmentMadeShorterUnderARunningIndexCostsNoProcess(t *testing.T) {
	const keys = 20_000 // several tables of MinMemory
	o := options(t.TempDir())
	index, err := dedup.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	at := func(offset int64) time.Time { return noon().Add(time.Duration(offset) * 50 * time.Millisecond) }
	for offset := range int64(keys) {
		if _, _, err := index.Check(numbered(offset), offset, at(offset), day); err != nil {
			t.Fatal(err)
		}
	}
	cutOff(t, o.Dir)
	if _, _, err := index.Check(numbered(0), keys, at(keys), day); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Fatalf("looked into a file that is gone: %v", err)
	}
	requireClosed(t, index)
	if again := open(t, o); again.Len() != 0 || again.Next() != 0 {
		t.Errorf("%d entries of damaged segments, next %d", again.Len(), again.Next())
	}
}

func cutOff(t *testing.T, dir string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d segments, %v", len(paths), err)
	}
	for _, path := range paths {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
}
