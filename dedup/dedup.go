// Package dedup answers which events are repeats. Its Index is an index of one partition of the input log, not a truth
// of its own: it says at which offset a key was seen before a given record, so that the answer depends on the log
// alone. It may therefore run ahead of what is committed, needs no undo, and is rebuilt by reading the log again.
package dedup

import (
	"time"

	"github.com/millrace/millrace/schemas"
)

// Index knows the keys of one partition that were received within its retention. It is kept in memory: about 100
// bytes for each key. It is not safe for concurrent use.
type Index struct {
	retention time.Duration
	seen      map[schemas.Key][]occurrence
	queue     []expiry  // one for each key, about in the order of time
	next      int64     // the offset after the last record noted
	settled   int64     // offsets below are never asked about again
	latest    time.Time // the greatest time noted: the stream's clock
}

// occurrence is one record with a key.
type occurrence struct {
	offset, root int64 // root is the first record of the chain of repeats
	at           int64 // received at, Unix milliseconds
}

// New returns an empty index that remembers keys for at least retention, which must not be less than the longest dedup
// window in use.
func New(retention time.Duration) *Index {
	return &Index{retention: retention, seen: map[schemas.Key][]occurrence{}}
}

// Next returns the offset after the last record noted. What lies between it and a record about to be checked is
// missing from the index and must be noted first.
func (x *Index) Next() int64 { return x.next }

// Skip says that there is nothing to note below offset, for instance because the log begins there.
func (x *Index) Skip(offset int64) { x.next = max(x.next, offset) }

// Note adds the record at offset without a question. Records must be noted in the order of their offsets; one that was
// noted before changes nothing. A record without a key is passed as noted by Skip(offset+1).
func (x *Index) Note(key schemas.Key, offset int64, at time.Time, window time.Duration) {
	if offset < x.next {
		return
	}
	root := offset
	if earlier, found := x.lookup(key, offset, at, window); found {
		root = earlier.root
	}
	x.settle(key)
	if len(x.seen[key]) == 0 {
		x.queue = append(x.queue, expiry{key, at.UnixMilli()})
	}
	x.seen[key] = append(x.seen[key], occurrence{offset, root, at.UnixMilli()})
	x.next = offset + 1
	if at.After(x.latest) {
		x.latest = at
	}
	x.forget()
}

// Check notes the record at offset and returns the offset of the first event it repeats. It repeats one if an earlier
// record, by offset, has the same key and was received within window before it. A window of 0 means that dedup is off:
// the record is noted all the same, for later ones.
func (x *Index) Check(key schemas.Key, offset int64, at time.Time, window time.Duration) (first int64, duplicate bool) {
	x.Note(key, offset, at, window)
	earlier, found := x.lookup(key, offset, at, window)
	return earlier.root, found
}

// Settle says that records below offset will not be checked again, because the decisions on them are committed.
func (x *Index) Settle(offset int64) { x.settled = max(x.settled, offset) }

// Len returns how many keys are held.
func (x *Index) Len() int { return len(x.seen) }

// lookup finds the latest occurrence below offset that was received within window before at. Clocks of several ingest
// processes differ, so an earlier record may carry a later time: it counts as received just before.
func (x *Index) lookup(key schemas.Key, offset int64, at time.Time, window time.Duration) (occurrence, bool) {
	if window <= 0 {
		return occurrence{}, false
	}
	var best occurrence
	found := false
	for _, o := range x.seen[key] {
		if o.offset < offset && o.at >= at.Add(-window).UnixMilli() && (!found || o.at >= best.at) {
			best, found = o, true
		}
	}
	return best, found
}

// settle keeps, of the occurrences of key that are settled, only the one with the latest time: a later record repeats
// any of them if and only if it repeats that one. So a storm of repeats does not grow the index.
func (x *Index) settle(key schemas.Key) {
	occurrences := x.seen[key]
	settled := 0
	for settled < len(occurrences) && occurrences[settled].offset < x.settled {
		settled++
	}
	if settled < 2 {
		return
	}
	occurrences[settled-1] = latestOf(occurrences[:settled])
	x.seen[key] = occurrences[settled-1:]
}
