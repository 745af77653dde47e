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
	changes    int      // how many offsets were finished so far
	committed  position
	restored   doneMap // what was finished, by the last commit, beyond it
}

type entry struct {
	offset int64
	epoch  int32
	done   bool
}

// position is where a reader goes on: the next offset, the leader epoch of the record before it, and how many offsets
// had been finished.
type position struct {
	next    int64
	epoch   int32
	changes int
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
	o.changes++
	for len(o.entries) > 0 && o.entries[0].done {
		o.finished = position{next: o.entries[0].offset + 1, epoch: o.entries[0].epoch}
		o.entries = o.entries[1:]
	}
}

// gap returns how many started offsets a commit would not cover.
func (o *offsets) gap() int { return len(o.entries) }

// oldest returns the offset after the older half of those beyond the commit, so that who holds up the commit can go.
func (o *offsets) oldest() int64 {
	if len(o.entries) == 0 {
		return 0
	}
	return o.entries[len(o.entries)/2].offset
}

// committable returns the position to commit, and false when nothing has been finished since the last commit.
func (o *offsets) committable() (position, bool) {
	at := o.finished
	if at.next == 0 && o.changes > 0 {
		at = position{next: o.entries[0].offset, epoch: -1} // what lies before was never ours
	}
	at.changes = o.changes
	return at, o.changes != o.committed.changes
}

// commit notes that a position is in Kafka.
func (o *offsets) commit(at position) { o.committed = at }

// restore takes over what the last commit knew to be finished beyond it.
func (o *offsets) restore(done doneMap) { o.restored = done }

// wasFinished reports whether the last commit before this reader knew the offset to be finished. It must be asked in
// ascending order.
func (o *offsets) wasFinished(offset int64) bool {
	for len(o.restored) > 0 && o.restored[0].to <= offset {
		o.restored = o.restored[1:]
	}
	return len(o.restored) > 0 && o.restored[0].from <= offset
}

// done returns the map of what is finished beyond the position. Offsets that the log does not have count as finished
// where their neighbours are.
func (o *offsets) done() doneMap {
	var all doneMap
	isOpen := false
	for _, e := range o.entries {
		switch {
		case e.done && isOpen:
			all[len(all)-1].to = e.offset + 1
		case e.done:
			all = append(all, offsetRange{e.offset, e.offset + 1})
		}
		isOpen = e.done
	}
	return all
}
