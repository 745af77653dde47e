package dedup

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math"
	"math/bits"
	"slices"

	"github.com/millrace/millrace/schemas"
)

// table is the open end of the index: a hash table of a fixed size, so that it never stops to grow. A key has one slot
// for each hour in which it was received. Slots lie in the order of the keys, but for collisions.
type table struct {
	slots  []slot
	mapped []byte
	count  int
	base   int64 // the offset that slots count from
	start  int64 // the time that slots count from, Unix milliseconds; the first hour's beginning, less a margin
	maxAt  int64

	from         int64 // it knows the records from this offset on
	next, latest int64 // set when it is frozen: the offset after it, and the stream's clock

	// extra holds, for slots whose key came again in the same hour, the records that may still be asked about. Those
	// that are settled are folded into their slot, so that a storm of repeats does not stay in memory.
	extra map[schemas.Key][]occurrence
}

// slot is one entry, in 24 bytes. It is empty while at is 0.
type slot struct {
	key    schemas.Key
	offset uint32 // from the table's base: the first in this hour
	at     uint32 // from the table's start, in milliseconds: the latest in this hour
}

// margin is how far the first record of a table may be ahead of a later one, by the clocks of ingest: beyond, the later
// one counts as received that much before the first. Slots count 49 days; what is left is far more than the hour that a
// table is open for.
const margin = 20 * 24 * hourMs

func newTable(capacity int) (*table, error) {
	slots, mapped, err := offHeap[slot](capacity + capacity/3 + 1) // at most 3/4 full
	return &table{slots: slots, mapped: mapped, extra: map[schemas.Key][]occurrence{}}, err
}

// wipe makes the table as good as new.
func (t *table) wipe() {
	wipe(t.slots)
	*t = table{slots: t.slots, mapped: t.mapped, extra: map[schemas.Key][]occurrence{}}
}

func (t *table) isEmpty() bool { return t.count == 0 }

// hour returns the hour in which the first record was received.
func (t *table) hour() int64 { return (t.start + margin) / hourMs }

func place(key schemas.Key) uint64 { return binary.BigEndian.Uint64(key[:8]) }

// home is where the search for a key begins: keys are hashes, and lie in their order.
func (t *table) home(key schemas.Key) int {
	at, _ := bits.Mul64(place(key), uint64(len(t.slots)))
	return int(at)
}

func (t *table) after(i int) int {
	if i++; i < len(t.slots) {
		return i
	}
	return 0
}

func (t *table) occurrence(s slot) occurrence {
	return occurrence{t.base + int64(s.offset), t.start + int64(s.at)}
}

// fits tells whether a record can be written relative to the table's base and start.
func (t *table) fits(offset, at int64) bool {
	return t.isEmpty() || offset-t.base <= math.MaxUint32 && at-t.start <= math.MaxUint32
}

// add notes a record, whose offset is above all others in the table. Records below settled are not asked about again.
func (t *table) add(key schemas.Key, o occurrence, settled int64) {
	if t.isEmpty() {
		t.base, t.start = o.offset, o.at/hourMs*hourMs-margin
	}
	o.at = max(o.at, t.start+1)
	t.maxAt = max(t.maxAt, o.at)
	s := t.find(key, o.hour())
	if s.at == 0 {
		*s = slot{key, uint32(o.offset - t.base), uint32(o.at - t.start)}
		t.count++
		return
	}
	if o.offset < settled && len(t.extra[key]) == 0 {
		s.at = max(s.at, uint32(o.at-t.start))
		return
	}
	t.extra[key] = append(t.extra[key], o)
}

// find returns the slot of a key and hour, or the empty one where it belongs.
func (t *table) find(key schemas.Key, hour int64) *slot {
	for i := t.home(key); ; i = t.after(i) {
		s := &t.slots[i]
		if s.at == 0 || s.key == key && t.occurrence(*s).hour() == hour {
			return s
		}
	}
}

// settle folds what will not be asked about any more into the slots.
func (t *table) settle(settled int64) {
	for key, occurrences := range t.extra {
		done := 0
		for done < len(occurrences) && occurrences[done].offset < settled {
			s := t.find(key, occurrences[done].hour())
			s.at = max(s.at, uint32(occurrences[done].at-t.start))
			done++
		}
		if done == len(occurrences) {
			delete(t.extra, key)
			continue
		}
		t.extra[key] = occurrences[done:]
	}
}

func (t *table) gather(found []occurrence, key schemas.Key, offset int64) []occurrence {
	for i := t.home(key); ; i = t.after(i) {
		s := t.slots[i]
		if s.at == 0 {
			return t.gatherExtra(found, key, offset)
		}
		if o := t.occurrence(s); s.key == key && o.offset < offset {
			found = append(found, o)
		}
	}
}

func (t *table) gatherExtra(found []occurrence, key schemas.Key, offset int64) []occurrence {
	for _, o := range t.extra[key] {
		if o.offset >= offset {
			break
		}
		if last := len(found) - 1; last >= 0 && found[last].hour() == o.hour() {
			found[last].at = max(found[last].at, o.at) // the first one's offset is lower
			continue
		}
		found = append(found, o)
	}
	return found
}

// sorted gives the entries by key and offset, as a segment holds them.
func (t *table) sorted() iter.Seq[slot] {
	return func(yield func(slot) bool) {
		extra := t.sortedExtra()
		for s := range t.inOrder() {
			for len(extra) > 0 && compareSlots(extra[0], s) < 0 {
				if !yield(extra[0]) {
					return
				}
				extra = extra[1:]
			}
			if !yield(s) {
				return
			}
		}
		for _, s := range extra {
			if !yield(s) {
				return
			}
		}
	}
}

func (t *table) sortedExtra() []slot {
	var extra []slot
	for key, occurrences := range t.extra {
		for _, o := range occurrences {
			extra = append(extra, slot{key, uint32(o.offset - t.base), uint32(o.at - t.start)})
		}
	}
	slices.SortFunc(extra, compareSlots)
	return extra
}

// inOrder gives the slots by key. They nearly are: one is out of place only among those it collided with, and these lie
// between two empty slots, so that a few are sorted at a time. The last ones may have gone on at the beginning.
func (t *table) inOrder() iter.Seq[slot] {
	return func(yield func(slot) bool) {
		var together, wrapped []slot
		for at, s := range t.slots {
			switch {
			case s.at != 0 && t.home(s.key) > at:
				wrapped = append(wrapped, s)
			case s.at != 0:
				together = insert(together, s)
			case len(together) > 0:
				if !yieldAll(together, yield) {
					return
				}
				together = together[:0]
			}
		}
		for _, s := range wrapped {
			together = insert(together, s)
		}
		yieldAll(together, yield)
	}
}

func yieldAll(entries []slot, yield func(slot) bool) bool {
	for _, s := range entries {
		if !yield(s) {
			return false
		}
	}
	return true
}

// insert puts s to its place, which is near the end.
func insert(entries []slot, s slot) []slot {
	i := len(entries)
	entries = append(entries, s)
	for ; i > 0 && compareSlots(entries[i-1], s) > 0; i-- {
		entries[i] = entries[i-1]
	}
	entries[i] = s
	return entries
}

func compareSlots(a, b slot) int {
	if byPlace := cmp.Compare(place(a.key), place(b.key)); byPlace != 0 {
		return byPlace
	}
	low := func(s slot) uint64 { return binary.BigEndian.Uint64(s.key[8:]) }
	if byRest := cmp.Compare(low(a), low(b)); byRest != 0 {
		return byRest
	}
	return cmp.Compare(a.offset, b.offset)
}
