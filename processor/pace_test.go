package processor

import (
	"testing"
	"time"
)

func TestPollsGrowAndShrinkWithTheTimeThatDecidingTakes(t *testing.T) {
	p := newPace()
	f := func(records int, took time.Duration, want int) {
		t.Helper()
		if p.note(records, took); p.records() != want {
			t.Errorf("after %d records in %s: %d, want %d", records, took, p.records(), want)
		}
	}
	f(10, 10*time.Microsecond, 2000)
	f(10, 0, 4000)
	f(4000, 100*time.Millisecond, 4000)
	f(4000, 40*time.Millisecond, 8000)
	f(8000, 40*time.Millisecond, 16000)
	f(16000, 40*time.Millisecond, maxPollRecords)
	f(maxPollRecords, 90*time.Second, minPollRecords)
	f(100, 450*time.Millisecond, minPollRecords)
	f(100, 10*time.Millisecond, 200)
}
