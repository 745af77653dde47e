package dispatcher

import (
	"cmp"
	"slices"
)

// offsets knows which offsets of one partition are finished, and so how far it may be committed: never past one that
// is unfinished. Offsets are started in ascending order, with holes where the log has them, and finished in any order.
// It holds an entry for each offset from the lowest unfinished one on; whoever starts offsets bounds that number.
type offsets struct {
	entries    []entry // ascending; the first one is unfinished
	unfinished int
	expected   int64    // the least offset that may be started next
	finished   position // beyond the last of the contiguous finished offsets
	committed  position
}

type entry struct {
	offset int64
	epoch  int32
	done   bool
}

// position is where a reader goes on: the next offset, and the leader epoch of the record before it.
type position struct {
	next  int64
	epoch int32
}

// start notes an offset that was read. It reports false for one that was started before.
func (o *offsets) start(offset int64, epoch int32) bool {
	if offset < o.expected {
		return false
	}
	o.expected = offset + 1
	o.entries = append(o.entries, entry{offset: offset, epoch: epoch})
	o.unfinished++
	return true
}

// finish notes that nothing is left to do for an offset. Finishing it again changes nothing.
func (o *offsets) finish(offset int64) {
	i, found := slices.BinarySearchFunc(o.entries, offset, func(e entry, offset int64) int { return cmp.Compare(e.offset, offset) })
	if !found || o.entries[i].done {
		return
	}
	o.entries[i].done = true
	o.unfinished--
	for len(o.entries) > 0 && o.entries[0].done {
		o.finished = position{next: o.entries[0].offset + 1, epoch: o.entries[0].epoch}
		o.entries = o.entries[1:]
	}
}

// gap returns how many started offsets a commit would not cover: a crash repeats their runs.
func (o *offsets) gap() int { return len(o.entries) }

// committable returns the position to commit, and false when it is committed already.
func (o *offsets) committable() (position, bool) { return o.finished, o.finished != o.committed }

// commit notes that a position is in Kafka.
func (o *offsets) commit(at position) { o.committed = at }
