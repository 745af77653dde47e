package main

import "testing"

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
		"wavering":         {steady: 100, rise: 1, grows: false}, // by 17, and 100 would count
		"rising":           {steady: 0, rise: 50, grows: true},   // by 750 of 4,000
	} {
		for _, found := range behind(series(c.steady, c.rise), map[string]int64{"eventlog": 4000}) {
			if found.Role == "eventlog" && found.IsGrowing != c.grows {
				t.Errorf("%s: %+v", name, found)
			}
		}
	}
}
