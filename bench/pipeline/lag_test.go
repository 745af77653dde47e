package main

import (
	"testing"
	"time"
)

// series has a lag that stays at so many records in its first half, and then rises by so many at each sample.
func series(steady, rise int64) []lag {
	var all []lag
	for i := range 40 {
		all = append(all, lag{behind: map[string]int64{"eventlog": steady + rise*int64(max(0, i-20))}})
	}
	return all
}

func TestALagGrowsWhenItRisesByMoreThanAShareOfWhatWasRead(t *testing.T) {
	for name, c := range map[string]struct {
		steady, rise int64
		grows        bool
	}{
		"high, but steady": {steady: 5000, rise: 0, grows: false},
		"wavering":         {steady: 100, rise: 1, grows: false}, // by 15 of 4,000 in 20 s, of which 200 may be
		"rising":           {steady: 0, rise: 50, grows: true},   // by 750
	} {
		for _, found := range behind(series(c.steady, c.rise), map[string]int64{"eventlog": 4000}, 20*time.Second) {
			if found.Role == "eventlog" && found.IsGrowing != c.grows {
				t.Errorf("%s: %+v", name, found)
			}
		}
	}
}
