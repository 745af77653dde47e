package fill

import "testing"

// TestALogOfAnotherSizeIsRefused keeps figures from being said of more events than there are.
func TestALogOfAnotherSizeIsRefused(t *testing.T) {
	for there, isGood := range map[uint64]bool{999: false, 1000: true, 1002: true, 1010: true, 1011: false} {
		if err := check(there, 1000); (err == nil) != isGood {
			t.Errorf("%d of 1000 events: %v", there, err)
		}
	}
}
