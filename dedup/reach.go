package dedup

import "time"

// Reach returns how far the index goes back from the latest record noted, to the hour of the first one it holds. It is 0
// where it holds none.
func (x *Index) Reach() time.Duration {
	var start int64
	switch {
	case len(x.segments) > 0:
		start = x.segments[0].start
	case len(x.frozen) > 0:
		start = x.frozen[0].start
	case !x.open.isEmpty():
		start = x.open.start
	default:
		return 0
	}
	return max(0, time.Duration(x.latest-start-margin)*time.Millisecond)
}
