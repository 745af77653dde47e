package dedup

import (
	"fmt"
	"path/filepath"

	"github.com/millrace/millrace/schemas"
)

// maxFrozen bounds the tables that wait for the disk. Beyond, noting a record waits for it too: memory is bounded, and
// a disk that is slower than the input has to show.
const maxFrozen = 2

// tableCount is how many tables there are: the open one, and those that wait or are wiped.
const tableCount = maxFrozen + 1

// sealer writes one table at a time, in a goroutine that ends with its answer.
type sealer struct {
	isBusy bool
	done   chan sealed // has room for the one answer
}

type sealed struct {
	segment *segment
	err     error
}

// makeRoom freezes the open table when a record received at this time must not go into it: it is full, or its hour is
// over.
func (x *Index) makeRoom(at int64) error {
	if err := x.collect(false); err != nil {
		return err
	}
	if x.open.isEmpty() || x.open.count < x.capacity && at/hourMs <= x.open.hour() && x.open.fits(x.next, at) {
		return nil
	}
	for len(x.frozen) >= maxFrozen {
		if err := x.collect(true); err != nil {
			return err
		}
	}
	x.freeze()
	return nil
}

// freeze hands the open table to the sealer and opens another.
func (x *Index) freeze() {
	x.open.next, x.open.latest = x.next, x.latest
	x.frozen = append(x.frozen, x.open)
	x.open = <-x.spares // one is there, or being wiped: see maxFrozen
	x.open.from = x.next
	x.seal()
}

// seal starts on the oldest frozen table, unless one is under way.
func (x *Index) seal() {
	if x.sealer.isBusy || len(x.frozen) == 0 {
		return
	}
	x.sealer.isBusy = true
	t, f := x.frozen[0], footer{topic: x.options.Topic, partition: x.options.Partition}
	column, isUsed := x.column()
	go func() {
		if !isUsed {
			x.filter.clear(column)
		}
		s, err := t.seal(f, x.options.Dir, func(key schemas.Key) { x.filter.add(column, key) })
		if err == nil {
			s.column = column
		}
		x.sealer.done <- sealed{s, err}
	}()
}

// column picks the column of the filter with the fewest segments. While there are more segments than columns some share
// one: then both are looked into when either may have a key, which costs time and no answer.
func (x *Index) column() (column int, isUsed bool) {
	var users [filterColumns]int
	for _, s := range x.segments {
		users[s.column]++
	}
	for i := range users {
		if users[i] < users[column] {
			column = i
		}
	}
	return column, users[column] > 0
}

// collect takes the sealer's answer, if there is one or if it is worth waiting for.
func (x *Index) collect(wait bool) error {
	if !x.sealer.isBusy {
		return nil
	}
	var answer sealed
	if wait {
		answer = <-x.sealer.done
	} else {
		select {
		case answer = <-x.sealer.done:
		default:
			return nil
		}
	}
	x.sealer.isBusy = false
	if answer.err != nil {
		return answer.err
	}
	x.segments = append(x.segments, answer.segment)
	x.retire(x.frozen[0])
	x.frozen = x.frozen[1:]
	x.expire() // before the next one is sealed, so that a column that gets free can be taken
	x.seal()
	return nil
}

// retire empties a table in the background and keeps it for later.
func (x *Index) retire(t *table) {
	x.tidying.Go(func() {
		t.wipe()
		x.spares <- t
	})
}

// expire parts with the segments whose keys have all left the retention by the stream's clock. Their files go in the
// background: to free so many pages takes a while.
func (x *Index) expire() {
	expired := 0
	for _, s := range x.segments {
		if s.maxAt >= x.latest-x.options.Retention.Milliseconds() {
			break
		}
		x.from = s.next
		x.filter.isDirty[s.column] = true
		expired++
	}
	if expired > 0 {
		gone := x.segments[:expired]
		x.segments = x.segments[expired:]
		x.tidying.Go(func() { x.remove(gone) })
	}
}

// remove removes segments, the oldest first: whatever stays must follow each other without a gap, or the next Open would
// drop all of them.
func (x *Index) remove(segments []*segment) {
	for _, s := range segments {
		if err := s.remove(); err != nil {
			x.options.Logger.Error("a dedup segment that has expired cannot be removed", "path", s.path, "error", err)
			return
		}
	}
}

// seal writes the table as a segment, which then covers what was noted from its first record to the next table's, and
// calls each for every key.
func (t *table) seal(f footer, dir string, each func(schemas.Key)) (*segment, error) {
	f.from, f.next, f.base, f.start, f.maxAt, f.latest = t.from, t.next, t.base, t.start, t.maxAt, t.latest
	path := filepath.Join(dir, fmt.Sprintf("%020d%s", f.from, segmentExt))
	err := writeSegment(path, f, func(yield func(slot) bool) {
		for s := range t.sorted() {
			each(s.key)
			if !yield(s) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	s, err := openSegment(path)
	if err != nil {
		return nil, fmt.Errorf("opening dedup segment %s again: %w", path, err)
	}
	return s, nil
}

// fill puts the segment's keys into its column.
func (s *segment) fill(into *filter) error {
	return guarded(func() {
		for i := range s.count {
			into.add(s.column, s.key(i))
		}
	})
}
