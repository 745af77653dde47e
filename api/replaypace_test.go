package api_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/api"
)

func TestSpeedIsThatOfTheLastMinuteAndKeepsLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var at []time.Time
		var done []int64
		now, before := time.UnixMilli(0), int64(0)
		look := func(after time.Duration, perSecond int64) {
			now, before = now.Add(after), before+int64(after.Seconds()*float64(perSecond))
			at, done = append(at, now), append(done, before)
		}
		look(0, 0)
		for range rapid.IntRange(0, 300).Draw(t, "looks before") {
			look(rapid.SampledFrom([]time.Duration{10 * time.Millisecond, time.Second, 7 * time.Second}).Draw(t, "after"), 1_000_000)
		}
		for range 63 { // one more minute and a bit, at another speed
			look(time.Second, 1000)
		}
		perSecond, isKnown, kept := api.Speed(at, done)
		if !isKnown || perSecond < 999 || perSecond > 1001 || kept > 62 {
			t.Fatalf("%v a second, known: %v, of %d places", perSecond, isKnown, kept)
		}
	})
}

func TestSpeedIsNotKnownWithinASecond(t *testing.T) {
	start := time.UnixMilli(0)
	if _, isKnown, _ := api.Speed([]time.Time{start}, []int64{0}); isKnown {
		t.Error("it is known at once")
	}
	if _, isKnown, _ := api.Speed([]time.Time{start, start.Add(999 * time.Millisecond)}, []int64{0, 10}); isKnown {
		t.Error("it is known before a second is over")
	}
}
