package faults

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// TestP10LostOrDamagedDedupIndexChangesNoDecision kills the processor, damages what it remembers on disk in each way in
// turn, and lets it go on. Nearly half of the events are repeats, many of them of events from before the damage.
func TestP10LostOrDamagedDedupIndexChangesNoDecision(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Partitions: 1})
	// The least memory makes it write segments soon.
	processor := fleet.Launch{Role: "processor", Flags: []string{"--processor-dedup-memory=1048576"}}
	all := startTogether(f, processor, fleet.Launch{Role: "ingest"}, fleet.Launch{Role: "dispatcher"}, fleet.Launch{Role: "eventlog"})
	load := f.StartLoad(fleet.Senders{To: []string{all[1].URL}, PerSecond: 1000, Duplicates: 0.4, Seed: random.Uint64()})
	damage := damage{t, f.Dir("processor"), random}
	done := map[string]int{}
	for deadline := time.Now().Add(length); time.Now().Before(deadline) || len(done) < len(damage.kinds()); {
		rig.Eventually(t, "the processor has written segments", damage.isPossible)
		f.Process("processor").Kill()
		kind := damage.kinds()[len(done)%len(damage.kinds())]
		if len(done) == len(damage.kinds()) {
			kind = damage.kinds()[random.IntN(len(damage.kinds()))]
		}
		kind.do()
		done[kind.name]++
		f.Start(processor).AwaitReady()
	}
	t.Logf("damage: %v; %s", done, load.Stop())
	if loud := strings.Count(f.Log(), "the dedup index cannot be used and is made anew"); loud == 0 {
		t.Error("the log never says that an index is made anew")
	}
	judge(t, f, "damage %v", done)
}

// damage does harm to the segments of an index.
type damage struct {
	t      *testing.T
	dir    string
	random *rand.Rand
}

type kind struct {
	name string
	do   func()
}

func (d damage) kinds() []kind {
	return []kind{
		{"a segment deleted", func() { d.must(os.Remove(d.any())) }},
		{"a segment cut short", func() {
			path := d.any()
			d.must(os.Truncate(path, d.random.Int64N(d.size(path))))
		}},
		{"bytes flipped", func() { d.flip(d.any()) }},
		{"all lost", d.loseAll},
	}
}

func (d damage) loseAll() { d.must(os.RemoveAll(d.dir)) }

// flip changes a byte at a random place.
func (d damage) flip(path string) {
	d.t.Helper()
	content, err := os.ReadFile(path)
	d.must(err)
	content[d.random.IntN(len(content))] ^= 1 << d.random.IntN(8)
	d.must(os.WriteFile(path, content, 0o600))
}

func (d damage) any() string {
	segments := d.segments()
	return segments[d.random.IntN(len(segments))]
}

func (d damage) size(path string) int64 {
	info, err := os.Stat(path)
	d.must(err)
	return info.Size()
}

func (d damage) segments() []string {
	var paths []string
	_ = filepath.WalkDir(d.dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".seg") {
			paths = append(paths, path)
		}
		return nil // files come and go
	})
	return paths
}

func (d damage) isPossible() error {
	if count := len(d.segments()); count < 2 {
		return fmt.Errorf("there are %d", count)
	}
	return nil
}

func (d damage) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}
