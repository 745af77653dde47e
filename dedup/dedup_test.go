package dedup_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
)

const day = 24 * time.Hour

func key(name string) schemas.Key { return schemas.EventKey(name) }

func noon() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

func TestSecondRecordWithTheKeyInsideTheWindowIsADuplicateOfTheFirst(t *testing.T) {
	index := dedup.New(2 * day)
	requireUnique(t, index, "a", 0, noon())
	requireUnique(t, index, "b", 1, noon())
	requireDuplicateOf(t, 0, index, "a", 2, noon().Add(day))
}

func TestRecordAfterTheWindowIsNoDuplicate(t *testing.T) {
	index := dedup.New(2 * day)
	requireUnique(t, index, "a", 0, noon())
	requireUnique(t, index, "a", 1, noon().Add(day+time.Millisecond))
}

func TestRepeatInsideTheWindowOfARepeatIsADuplicateOfTheFirst(t *testing.T) {
	index := dedup.New(3 * day)
	requireUnique(t, index, "a", 0, noon())
	requireDuplicateOf(t, 0, index, "a", 1, noon().Add(20*time.Hour))
	requireDuplicateOf(t, 0, index, "a", 2, noon().Add(40*time.Hour))
}

func TestRecordReadAgainFindsItselfAndIsNoDuplicate(t *testing.T) {
	index := dedup.New(2 * day)
	requireUnique(t, index, "a", 0, noon())
	requireDuplicateOf(t, 0, index, "a", 1, noon())
	requireUnique(t, index, "a", 0, noon())
	requireDuplicateOf(t, 0, index, "a", 1, noon())
}

func TestDedupSwitchedOffStillNotesTheKey(t *testing.T) {
	index := dedup.New(2 * day)
	if _, duplicate := index.Check(key("a"), 0, noon(), 0); duplicate {
		t.Fatal("duplicate of nothing")
	}
	if _, duplicate := index.Check(key("a"), 1, noon(), 0); duplicate {
		t.Fatal("duplicate although dedup is off")
	}
	requireDuplicateOf(t, 1, index, "a", 2, noon())
}

func TestKeysOutsideTheRetentionAreForgotten(t *testing.T) {
	index := dedup.New(2 * day)
	for offset := range int64(1000) {
		index.Check(schemas.EventKey(string(rune(offset))), offset, noon().Add(time.Duration(offset)*time.Minute), day)
	}
	index.Check(key("late"), 1000, noon().Add(10*day), day)
	if index.Len() != 1 {
		t.Fatalf("%d keys held, want 1", index.Len())
	}
}

func requireUnique(t *testing.T, index *dedup.Index, name string, offset int64, at time.Time) {
	t.Helper()
	if first, duplicate := index.Check(key(name), offset, at, day); duplicate {
		t.Fatalf("offset %d taken for a duplicate of %d", offset, first)
	}
}

func requireDuplicateOf(t *testing.T, want int64, index *dedup.Index, name string, offset int64, at time.Time) {
	t.Helper()
	if first, duplicate := index.Check(key(name), offset, at, day); !duplicate || first != want {
		t.Fatalf("offset %d: duplicate %v of %d, want of %d", offset, duplicate, first, want)
	}
}

// record is one entry of a random log.
type record struct {
	key    schemas.Key
	at     time.Time
	window time.Duration
}

// TestDecisionsDependOnTheLogAlone runs a random log with random restarts, re-reads and commits, and compares each
// answer with the definition of a duplicate.
func TestDecisionsDependOnTheLogAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 60).Draw(t, "log")
		for i := 1; i < len(log); i++ { // the log's time rises, give or take a skew of a minute
			log[i].at = log[i-1].at.Add(log[i].at.Sub(noon()))
		}
		index, committed := dedup.New(10*day), 0
		for committed < len(log) {
			end := rapid.IntRange(committed+1, len(log)).Draw(t, "batch end")
			for offset := committed; offset < end; offset++ {
				requireDefinition(t, index, log, offset)
			}
			switch rapid.SampledFrom([]string{"commit", "abort", "restart"}).Draw(t, "then") {
			case "commit":
				committed = end
				index.Settle(int64(committed))
			case "restart":
				index = rebuilt(log[:committed])
				index.Settle(int64(committed))
			}
		}
	})
}

func drawRecord(t *rapid.T) record {
	return record{
		key:    key(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")),
		at:     noon().Add(time.Duration(rapid.IntRange(-60, 12*3600).Draw(t, "seconds")) * time.Second),
		window: time.Duration(rapid.SampledFrom([]int{0, 6, 24}).Draw(t, "hours")) * time.Hour,
	}
}

func rebuilt(log []record) *dedup.Index {
	index := dedup.New(10 * day)
	for offset, r := range log {
		index.Note(r.key, int64(offset), r.at, r.window)
	}
	return index
}

func requireDefinition(t *rapid.T, index *dedup.Index, log []record, offset int) {
	r := log[offset]
	first, duplicate := index.Check(r.key, int64(offset), r.at, r.window)
	if want := repeats(log, offset); duplicate != want {
		t.Fatalf("offset %d: duplicate %v, want %v", offset, duplicate, want)
	}
	if duplicate && (log[first].key != r.key || first >= int64(offset)) {
		t.Fatalf("offset %d is called a duplicate of %d", offset, first)
	}
}

func repeats(log []record, offset int) bool {
	r := log[offset]
	for _, earlier := range log[:offset] {
		if r.window > 0 && earlier.key == r.key && !earlier.at.Before(r.at.Add(-r.window)) {
			return true
		}
	}
	return false
}

func BenchmarkCheck(b *testing.B) {
	index := dedup.New(day)
	at := noon()
	b.ReportAllocs()
	var name [8]byte
	for i := int64(0); b.Loop(); i++ {
		name = [8]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24), byte(i >> 32)}
		index.Check(schemas.Key(append(name[:], name[:]...)), i, at.Add(time.Duration(i)*time.Millisecond), day)
	}
}
