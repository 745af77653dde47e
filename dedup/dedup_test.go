package dedup_test

import (
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

func key(name string) schemas.Key { return schemas.EventKey(name) }

func noon() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

func options(dir string) dedup.Options {
	return dedup.Options{
		Dir: dir, Topic: [16]byte{1}, Partition: 3, Retention: 10 * day, Memory: dedup.MinMemory, Logger: slog.New(slog.DiscardHandler),
	}
}

// open opens an index that is closed with the test.
func open(t *testing.T, o dedup.Options) *dedup.Index {
	t.Helper()
	index, err := dedup.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { requireClosed(t, index) })
	return index
}

func requireClosed(t *testing.T, index *dedup.Index) {
	t.Helper()
	if err := index.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondRecordWithTheKeyInsideTheWindowIsADuplicateOfTheFirst(t *testing.T) {
	index := open(t, options(t.TempDir()))
	requireUnique(t, index, "a", 0, noon())
	requireUnique(t, index, "b", 1, noon())
	requireDuplicateOf(t, 0, index, "a", 2, noon().Add(day))
}

func TestRecordAfterTheWindowIsNoDuplicate(t *testing.T) {
	index := open(t, options(t.TempDir()))
	requireUnique(t, index, "a", 0, noon())
	requireUnique(t, index, "a", 1, noon().Add(day+time.Millisecond))
}

// TestClockThatStepsBackMakesNoDuplicates has the first record of all days ahead of those that follow it.
func TestClockThatStepsBackMakesNoDuplicates(t *testing.T) {
	index := open(t, options(t.TempDir()))
	requireUnique(t, index, "ahead", 0, noon())
	requireUnique(t, index, "a", 1, noon().Add(-5*day))
	requireUnique(t, index, "a", 2, noon().Add(-4*day+time.Millisecond))
	requireDuplicateOf(t, 2, index, "a", 3, noon().Add(-3*day))
}

func TestRepeatInsideTheWindowOfARepeatIsADuplicateOfTheFirstInsideTheWindow(t *testing.T) {
	index := open(t, options(t.TempDir()))
	requireUnique(t, index, "a", 0, noon())
	requireDuplicateOf(t, 0, index, "a", 1, noon().Add(20*time.Hour))
	requireDuplicateOf(t, 1, index, "a", 2, noon().Add(40*time.Hour))
}

func TestRecordReadAgainFindsItselfAndIsNoDuplicate(t *testing.T) {
	index := open(t, options(t.TempDir()))
	requireUnique(t, index, "a", 0, noon())
	requireDuplicateOf(t, 0, index, "a", 1, noon())
	requireUnique(t, index, "a", 0, noon())
	requireDuplicateOf(t, 0, index, "a", 1, noon())
}

func TestDedupSwitchedOffStillNotesTheKey(t *testing.T) {
	index := open(t, options(t.TempDir()))
	for offset := range int64(2) {
		if _, duplicate, err := index.Check(key("a"), offset, noon(), 0); duplicate || err != nil {
			t.Fatalf("duplicate %v, %v", duplicate, err)
		}
	}
	requireDuplicateOf(t, 0, index, "a", 2, noon())
}

func TestShortWindowIsExactWithinAnHour(t *testing.T) {
	index := open(t, options(t.TempDir()))
	f := func(offset int64, after time.Duration, want bool) {
		t.Helper()
		if _, duplicate, err := index.Check(key("a"), offset, noon().Add(after), time.Minute); duplicate != want || err != nil {
			t.Errorf("offset %d: duplicate %v, %v, want %v", offset, duplicate, err, want)
		}
	}
	f(0, 0, false)
	f(1, time.Minute+time.Millisecond, false)
	f(2, 2*time.Minute, true)
	f(1, time.Minute+time.Millisecond, false) // read again
	index.Settle(3)
	f(3, 3*time.Minute, true)
	f(4, 4*time.Minute+time.Millisecond, false)
}

func TestKeysOutsideTheRetentionAreForgotten(t *testing.T) {
	o := options(t.TempDir())
	o.Retention = 2 * day
	index := open(t, o)
	for offset := range int64(6000) {
		if _, _, err := index.Check(schemas.EventKey(string(rune(offset))), offset, noon().Add(time.Duration(offset)*time.Minute), day); err != nil {
			t.Fatal(err)
		}
	}
	// Two days and the hours at both ends; what is being sealed is not expired yet.
	if held := index.Len(); held < 48*60 || held > 51*60 {
		t.Errorf("%d keys held of two days with a key a minute", held)
	}
	if index.From() == 0 {
		t.Error("the index still claims to know everything")
	}
}

func TestStormOfRepeatsDoesNotGrowTheIndex(t *testing.T) {
	index := open(t, options(t.TempDir()))
	for offset := range int64(100_000) {
		if _, _, err := index.Check(key("a"), offset, noon().Add(time.Duration(offset)*time.Millisecond), day); err != nil {
			t.Fatal(err)
		}
		if offset%100 == 0 {
			index.Settle(offset)
		}
	}
	if index.Len() > 1 {
		t.Errorf("%d entries for one key in one hour", index.Len())
	}
}

func TestWindowLongerThanTheRetentionIsRefused(t *testing.T) {
	index := open(t, options(t.TempDir()))
	if _, _, err := index.Check(key("a"), 0, noon(), 11*day); err == nil {
		t.Error("answered from what is forgotten already")
	}
}

func requireUnique(t *testing.T, index *dedup.Index, name string, offset int64, at time.Time) {
	t.Helper()
	if first, duplicate, err := index.Check(key(name), offset, at, day); duplicate || err != nil {
		t.Fatalf("offset %d taken for a duplicate of %d, %v", offset, first, err)
	}
}

func requireDuplicateOf(t *testing.T, want int64, index *dedup.Index, name string, offset int64, at time.Time) {
	t.Helper()
	if first, duplicate, err := index.Check(key(name), offset, at, day); !duplicate || first != want || err != nil {
		t.Fatalf("offset %d: duplicate %v of %d, %v, want of %d", offset, duplicate, first, err, want)
	}
}

func TestHasKnowsWhatWasNotedWithinTheRetentionAndNotesNothing(t *testing.T) {
	o := options(t.TempDir())
	index := open(t, o)
	f := func(name string, want bool) {
		t.Helper()
		if got, err := index.Has(key(name)); got != want || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	f("a", false)
	f("a", false)
	if err := index.Note(key("a"), 0, noon()); err != nil {
		t.Fatal(err)
	}
	f("a", true)
	if err := index.Note(key("b"), 1, noon().Add(o.Retention+2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	f("a", false)
	f("b", true)
}
