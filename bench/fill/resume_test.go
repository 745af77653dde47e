package fill

import (
	"testing"
	"time"
)

// TestALogOfAnotherSizeIsRefused keeps figures from being said of another number of events than there are.
func TestALogOfAnotherSizeIsRefused(t *testing.T) {
	for _, c := range []struct {
		there         uint64
		isDone, isBad bool
	}{{there: 0}, {there: 999}, {there: 1000, isDone: true}, {there: 1001, isBad: true}} {
		done, err := isDone([]day{{time.Now(), c.there / 2}, {time.Now(), c.there - c.there/2}}, 1000)
		if done != c.isDone || (err != nil) != c.isBad {
			t.Errorf("%d of 1000 events: %t, %v", c.there, done, err)
		}
	}
}
