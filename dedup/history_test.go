package dedup_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
)

// record is one entry of a random log.
type record struct {
	key    schemas.Key
	at     time.Time
	window time.Duration
}

// TestDecisionsDependOnTheLogAlone runs a random log with random commits, aborts, re-reads, restarts and damage to the
// files, and compares each answer with the definition. Time passes by up to half a day a record, so that most records
// begin a segment of their own.
func TestDecisionsDependOnTheLogAlone(t *testing.T) {
	root := t.TempDir()
	histories := 0
	rapid.Check(t, func(t *rapid.T) {
		histories++
		h := &history{t: t, dir: filepath.Join(root, fmt.Sprint(histories)), log: drawLog(t)}
		defer func() { _ = os.RemoveAll(h.dir) }() // the root goes with the test
		h.open()
		for h.committed < len(h.log) {
			h.batch()
		}
		h.close()
	})
}

func drawLog(t *rapid.T) []record {
	log := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 80).Draw(t, "log")
	for i := 1; i < len(log); i++ { // the log's time rises, give or take a skew of a minute
		log[i].at = log[i-1].at.Add(log[i].at.Sub(noon()))
	}
	return log
}

func drawRecord(t *rapid.T) record {
	pace := rapid.SampledFrom([]int{90, 12 * 3600}).Draw(t, "pace")
	return record{
		key:    key(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")),
		at:     noon().Add(time.Duration(rapid.IntRange(-60, pace).Draw(t, "seconds")) * time.Second),
		window: rapid.SampledFrom([]time.Duration{0, time.Minute, 6 * time.Hour, day, 7 * day}).Draw(t, "window"),
	}
}

type history struct {
	t         *rapid.T
	dir       string
	log       []record
	index     *dedup.Index
	committed int
}

// open opens the index and notes again what it lacks, as the processor does.
func (h *history) open() {
	index, err := dedup.Open(options(h.dir))
	if err != nil {
		h.t.Fatal(err)
	}
	h.index = index
	needed := h.needed()
	if index.Next() > 0 && index.From() > needed {
		if err := index.Reset(); err != nil {
			h.t.Fatal(err)
		}
	}
	index.Skip(needed)
	h.index.Settle(int64(h.committed))
	for offset := index.Next(); offset < int64(h.committed); offset++ {
		if err := index.Note(h.log[offset].key, offset, h.log[offset].at); err != nil {
			h.t.Fatal(err)
		}
	}
}

// needed returns the first offset that the longest window of the next record to decide reaches.
func (h *history) needed() int64 {
	if h.committed == len(h.log) {
		return int64(h.committed) // nothing is left to decide
	}
	oldest := h.log[h.committed].at.Add(-7 * day)
	for offset, r := range h.log[:h.committed] {
		if !r.at.Before(oldest) {
			return int64(offset)
		}
	}
	return int64(h.committed)
}

func (h *history) close() {
	if err := h.index.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// batch checks some records, and then their decisions are committed, or rolled back, or the process ends.
func (h *history) batch() {
	end := rapid.IntRange(h.committed+1, len(h.log)).Draw(h.t, "batch end")
	for offset := h.committed; offset < end; offset++ {
		h.check(offset)
	}
	switch rapid.SampledFrom([]string{"commit", "commit", "abort", "restart", "damage"}).Draw(h.t, "then") {
	case "commit":
		h.committed = end
		h.index.Settle(int64(end))
	case "restart":
		h.close()
		h.open()
	case "damage":
		h.close()
		h.damage()
		h.open()
	}
}

// check compares an answer with the definition of a duplicate, and with what the log says is the first.
func (h *history) check(offset int) {
	r := h.log[offset]
	first, duplicate, err := h.index.Check(r.key, int64(offset), r.at, r.window)
	if err != nil {
		h.t.Fatal(err)
	}
	wantFirst, want := firstRepeated(h.log, offset)
	if duplicate != want || want && first != int64(wantFirst) {
		h.t.Fatalf("offset %d: duplicate %v of %d, want %v of %d", offset, duplicate, first, want, wantFirst)
	}
}

// firstRepeated is the definition: a record is a duplicate if an earlier one has its key and lies in its window; of the
// hours that have such a record, the earliest one's first record with the key is what it repeats.
func firstRepeated(log []record, offset int) (int, bool) {
	r := log[offset]
	hour := func(i int) int64 { return log[i].at.Unix() / 3600 }
	earliest, found := int64(0), false
	for i, earlier := range log[:offset] {
		if r.window > 0 && earlier.key == r.key && !earlier.at.Before(r.at.Add(-r.window)) && (!found || hour(i) < earliest) {
			earliest, found = hour(i), true
		}
	}
	for i, earlier := range log[:offset] {
		if found && earlier.key == r.key && hour(i) == earliest {
			return i, true
		}
	}
	return 0, false
}

// damage does to one file what a crash, a bad disk or a person can do.
func (h *history) damage() {
	files, err := filepath.Glob(filepath.Join(h.dir, "*.seg"))
	if err != nil || len(files) == 0 {
		return
	}
	path := rapid.SampledFrom(files).Draw(h.t, "file")
	content, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	at := rapid.IntRange(0, len(content)-1).Draw(h.t, "at")
	switch rapid.SampledFrom([]string{"torn", "flipped", "half written", "gone"}).Draw(h.t, "how") {
	case "torn":
		err = os.WriteFile(path, content[:at], 0o600)
	case "flipped":
		content[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(h.t, "bit"))
		err = os.WriteFile(path, content, 0o600)
	case "half written": // the last one was about to get its name
		err = os.Rename(files[len(files)-1], files[len(files)-1]+".tmp")
	case "gone":
		err = os.Remove(path)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}
