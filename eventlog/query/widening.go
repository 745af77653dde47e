package query

import "time"

// widening looks for a page of the newest items in an hour, then in a day, a week and all that was asked for. No table can
// be read from its end, nor is any condition that few items meet found by an index: most pages are full long before.
func widening[Item any](since, newest time.Time, size int, read func(since time.Time) ([]Item, error)) ([]Item, error) {
	for _, span := range []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		narrowed := newest.Add(-span)
		if !narrowed.After(since) {
			break
		}
		if items, err := read(narrowed); err != nil || len(items) >= size {
			return items, err
		}
	}
	return read(since)
}

// newest is where a page begins: at its cursor, at the end of the time asked for, or now.
func newest(after position, until time.Time) time.Time {
	at := time.Now()
	if !until.IsZero() && until.Before(at) {
		at = until
	}
	if !after.at.IsZero() && after.at.Before(at) {
		at = after.at
	}
	return at
}
