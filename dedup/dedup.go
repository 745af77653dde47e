// Package dedup answers which events are repeats. Its Index is an index of one partition of the input log, not a truth
// of its own: it knows where and when each key was received, so that an answer depends on the log alone. It may
// therefore run ahead of what is committed, needs no undo, and what it lacks is noted again by reading the log.
//
//	record -> open table -> (full, or the hour is over) -> sealed in the background -> segment file, mapped
//	                                                                         \-> one column of the filter
//
// Segments are mapped into memory, which makes a lookup cheap and gives their files into the hand of whoever can write to
// the directory. A file that is made shorter under a running index costs no process: the lookup that misses a page gets
// an error that says "damaged", and the next Open drops the segments, so that the keys are noted again. A file that is
// overwritten, or shorter by less than a page, is noticed at the next Open, by its checksum. The guard takes 8 ns, where
// the filter lets a lookup through to a segment, and nothing where it says that a key is new.
package dedup

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/millrace/millrace/schemas"
)

// hourMs is the length of a bucket of time, in milliseconds: of one key the index keeps, for each hour in which it was
// received, the first offset and the latest time.
const hourMs = int64(time.Hour / time.Millisecond)

// Options say what an Index is of, and what it may cost.
type Options struct {
	Dir       string        // where its segments are; nobody else may write there
	Topic     [16]byte      // the ID of the input topic: segments of another are worthless
	Partition int32         // of the input topic
	Retention time.Duration // how long keys are remembered; at least the longest window in use
	Memory    int64         // bytes that it may take; at least MinMemory. Mapped pages of segments come on top
	Logger    *slog.Logger
}

// MinMemory is the least memory an Index works with, in bytes.
const MinMemory = 1 << 20

// Index knows the keys of one partition that were received within its retention. It is not safe for concurrent use.
type Index struct {
	options  Options
	capacity int // entries of a table
	open     *table
	frozen   []*table       // full tables on their way into a segment, oldest first
	spares   chan *table    // the other tables, empty, once they are wiped
	tidying  sync.WaitGroup // of goroutines that wipe tables and remove segments
	tables   []*table       // all of them, tableCount
	lock     *os.File       // of the directory
	segments []*segment     // oldest first
	filter   *filter
	sealer   sealer

	from, next int64 // what has been noted lies between these offsets
	settled    int64 // offsets below are never asked about again
	latest     int64 // the greatest time noted, Unix milliseconds: the stream's clock
}

// occurrence is where and when a key was received in one hour.
type occurrence struct {
	offset int64 // the first in that hour
	at     int64 // the latest time in that hour, Unix milliseconds
}

func (o occurrence) hour() int64 { return o.at / hourMs }

// From returns the offset from which on the index knows every record.
func (x *Index) From() int64 { return x.from }

// Next returns the offset after the last record noted. What lies between it and a record about to be checked is
// missing from the index and must be noted first.
func (x *Index) Next() int64 { return x.next }

// Skip says that there is nothing to note below offset, for instance because the log begins there.
func (x *Index) Skip(offset int64) {
	if x.from == x.next && x.open.isEmpty() && len(x.segments) == 0 {
		x.from = max(x.from, offset)
		x.open.from = x.from
	}
	x.next = max(x.next, offset)
}

// Note adds the record at offset without a question. Records must be noted in the order of their offsets; one that was
// noted before changes nothing. A record without a key is passed as noted by Skip(offset+1). An error means that a
// segment could not be written; the index is of no more use until it is opened again.
func (x *Index) Note(key schemas.Key, offset int64, at time.Time) error {
	if offset < x.next {
		return nil
	}
	ms := at.UnixMilli()
	if err := x.makeRoom(ms); err != nil {
		return err
	}
	x.open.add(key, occurrence{offset, ms}, x.settled)
	x.next = offset + 1
	x.latest = max(x.latest, ms)
	return nil
}

// Check notes the record at offset and returns the offset of the first event it repeats. It repeats one if an earlier
// record, by offset, has the same key and was received within window before it; clocks of several ingest processes
// differ, so that the earlier record may carry a later time. The first is that of the earliest hour in which such a
// record was received. A window of 0 means that dedup is off: the record is noted all the same, for later ones.
func (x *Index) Check(key schemas.Key, offset int64, at time.Time, window time.Duration) (first int64, duplicate bool, err error) {
	if window > x.options.Retention {
		return 0, false, fmt.Errorf("dedup window %s: the index remembers %s only", window, x.options.Retention)
	}
	if err := x.Note(key, offset, at); err != nil || window <= 0 {
		return 0, false, err
	}
	return x.firstSince(key, offset, at.Add(-window).UnixMilli())
}

// Has reports whether the index has noted the key within its retention, and notes nothing.
func (x *Index) Has(key schemas.Key) (bool, error) {
	_, found, err := x.firstSince(key, x.next, x.latest-x.options.Retention.Milliseconds())
	return found, err
}

// Settle says that records below offset will not be checked again, because the decisions on them are committed.
func (x *Index) Settle(offset int64) {
	x.settled = max(x.settled, offset)
	x.open.settle(x.settled)
}

// Len returns how many entries are held: a key counts once for each hour it was received in, or a few times.
func (x *Index) Len() int {
	held := x.open.count
	for _, t := range x.frozen {
		held += t.count
	}
	for _, s := range x.segments {
		held += s.count
	}
	return held
}

// firstSince finds the key's records below offset, and among the hours whose latest one was received at or after
// horizon the earliest; its answer is the first offset in that hour. Hours, and not segments or tables, are what it
// goes by, because those depend on when the process was started.
func (x *Index) firstSince(key schemas.Key, offset, horizon int64) (first int64, isFound bool, err error) {
	var room [16]occurrence
	found, err := x.gather(room[:0], key, offset, horizon-hourMs)
	if err != nil {
		return 0, false, err
	}
	earliest := int64(0)
	for _, o := range found {
		if o.at >= horizon && (!isFound || o.hour() < earliest) {
			earliest, isFound = o.hour(), true
		}
	}
	first = offset
	for _, o := range found {
		if isFound && o.hour() == earliest {
			first = min(first, o.offset)
		}
	}
	return first, isFound, nil
}

// gather appends the key's occurrences below offset. It may leave out those received before since.
func (x *Index) gather(found []occurrence, key schemas.Key, offset, since int64) ([]occurrence, error) {
	found = x.open.gather(found, key, offset)
	for _, t := range x.frozen {
		found = t.gather(found, key, offset)
	}
	columns, any := x.filter.columns(key)
	if !any {
		return found, nil
	}
	return x.gatherSealed(found, columns, key, offset, since)
}

// gatherSealed looks into the segments of some columns. Only what the filter lets through pays for the guard.
func (x *Index) gatherSealed(found []occurrence, columns columnSet, key schemas.Key, offset, since int64) ([]occurrence, error) {
	err := guarded(func() {
		for _, s := range x.segments {
			if s.maxAt >= since && columns.has(s.column) {
				found = s.gather(found, key, offset)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("looking for a key in the dedup index of partition %d: %w", x.options.Partition, err)
	}
	return found, nil
}
