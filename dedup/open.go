package dedup

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// bytesPerEntry is what an entry of a full table costs: 16 rows of 16 bytes in the filter, and 32 bytes in each of three
// tables. A sixteenth of the memory is left for what lies in the Go heap, the runtime's share included.
const bytesPerEntry = (bitsPerEntry*filterColumns/8 + tableCount*32) * 16 / 15

// Open returns the index that Dir holds, as far as it is sound and of this topic and partition. Otherwise it is emptied,
// and the log says so: everything in it can be noted again. Close it after use.
func Open(options Options) (*Index, error) {
	if options.Memory < MinMemory || options.Retention < time.Minute {
		return nil, fmt.Errorf("dedup index: %d bytes of memory and a retention of %s are too little", options.Memory, options.Retention)
	}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the dedup directory: %w", err)
	}
	lock, err := lockDir(options.Dir)
	if err != nil {
		return nil, err
	}
	capacity := int(options.Memory / bytesPerEntry)
	x := &Index{
		options: options, capacity: capacity, lock: lock,
		sealer: sealer{done: make(chan sealed, 1)}, spares: make(chan *table, tableCount),
	}
	err = x.takeMemory()
	if err == nil {
		err = x.load()
	}
	if err != nil {
		return nil, errors.Join(err, x.giveBack())
	}
	return x, nil
}

// takeMemory takes all that the index will ever use.
func (x *Index) takeMemory() error {
	filter, err := newFilter(x.capacity)
	if err != nil {
		return err
	}
	x.filter = filter
	for range tableCount {
		t, err := newTable(x.capacity)
		if err != nil {
			return err
		}
		x.tables = append(x.tables, t)
		x.spares <- t
	}
	x.open = <-x.spares
	return nil
}

// giveBack releases all memory. What goes on in the background is waited for.
func (x *Index) giveBack() error {
	x.tidying.Wait()
	problems := []error{x.unmap()}
	for _, t := range x.tables {
		problems = append(problems, release(t.mapped))
	}
	if x.filter != nil {
		problems = append(problems, release(x.filter.mapped))
	}
	x.open, x.frozen, x.tables, x.filter = nil, nil, nil, nil
	return errors.Join(append(problems, x.lock.Close())...)
}

// lockDir makes sure that no other index works in the directory: each would write over the other's segments. The lock
// ends with the process, whatever ends it.
func lockDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the dedup directory: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the dedup directory %s is in use; is there a second processor of this name?", dir), file.Close())
	}
	return file, nil
}

// load opens the segments that are there. One that is damaged or strange makes all of them worthless: an answer needs
// the whole range.
func (x *Index) load() error {
	paths, err := x.paths()
	if err != nil || len(paths) == 0 {
		return err
	}
	began := time.Now()
	for _, path := range paths {
		s, err := openSegment(path)
		if err != nil {
			return x.startOver(paths, fmt.Errorf("segment %s: %w", path, err))
		}
		x.segments = append(x.segments, s)
	}
	slices.SortFunc(x.segments, func(a, b *segment) int { return cmp.Compare(a.from, b.from) })
	if err := x.check(); err != nil {
		return x.startOver(paths, err)
	}
	if err := x.fillFilter(); err != nil {
		return x.startOver(paths, err)
	}
	last := x.segments[len(x.segments)-1]
	x.from, x.next, x.latest = x.segments[0].from, last.next, last.latest
	x.open.from = x.next
	x.options.Logger.Info("dedup index opened", "partition", x.options.Partition, "segments", len(x.segments), "entries", x.Len(),
		"took", time.Since(began).Round(time.Millisecond))
	x.expire()
	return nil
}

// paths lists the segments and removes what a crash left half written.
func (x *Index) paths() ([]string, error) {
	files, err := os.ReadDir(x.options.Dir)
	if err != nil {
		return nil, fmt.Errorf("reading the dedup directory: %w", err)
	}
	var paths []string
	for _, file := range files {
		path := filepath.Join(x.options.Dir, file.Name())
		switch {
		case strings.HasSuffix(path, segmentExt):
			paths = append(paths, path)
		case strings.HasSuffix(path, segmentExt+".tmp"):
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("removing a half-written dedup segment: %w", err)
			}
		}
	}
	return paths, nil
}

// check tells whether the segments are of this topic and follow each other without a gap.
func (x *Index) check() error {
	for i, s := range x.segments {
		if s.topic != x.options.Topic || s.partition != x.options.Partition {
			return fmt.Errorf("segment %s is of another topic or partition; was the topic made anew?", s.path)
		}
		if i > 0 && s.from > x.segments[i-1].next {
			return fmt.Errorf("the segment before %s is missing", s.path)
		}
	}
	return nil
}

// fillFilter verifies each segment and puts its keys into a column, on all processors.
func (x *Index) fillFilter() error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range x.segments {
		s.column = i % filterColumns
		group.Go(func() error {
			if err := s.verify(); err != nil {
				return fmt.Errorf("segment %s: %w", s.path, err)
			}
			return s.fill(x.filter)
		})
	}
	return group.Wait()
}

// Reset empties the index, for instance because it begins later than the records that are needed.
func (x *Index) Reset() error {
	for x.sealer.isBusy {
		if err := x.collect(true); err != nil {
			return err
		}
	}
	for _, t := range append(x.frozen, x.open) {
		x.retire(t)
	}
	x.from, x.next, x.latest = 0, 0, 0
	x.open, x.frozen = <-x.spares, nil
	x.tidying.Wait()
	paths, err := x.paths()
	if err != nil {
		return err
	}
	return x.empty(paths)
}

// startOver drops what cannot be trusted, loudly.
func (x *Index) startOver(paths []string, reason error) error {
	x.options.Logger.Error("the dedup index cannot be used and is made anew from the events topic",
		"partition", x.options.Partition, "reason", reason)
	return x.empty(paths)
}

func (x *Index) empty(paths []string) error {
	problems := []error{x.unmap()}
	for _, path := range paths {
		problems = append(problems, os.Remove(path))
	}
	x.filter.reset()
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("emptying the dedup index: %w", err)
	}
	return nil
}

func (x *Index) unmap() error {
	var problems []error
	for _, s := range x.segments {
		problems = append(problems, s.close())
	}
	x.segments = nil
	return errors.Join(problems...)
}

// worthSealing is how many entries the open table must have at Close to become a segment. Fewer are noted again in a
// moment, while each segment costs its share of every lookup.
const worthSealing = 100_000

// Close waits for what is being sealed, seals the open table if that is worth it, and gives everything back. What is
// not in a segment must be noted again after the next Open.
func (x *Index) Close() error {
	var err error
	if x.open.count >= worthSealing {
		x.freeze()
	}
	for err == nil && x.sealer.isBusy {
		err = x.collect(true)
	}
	return errors.Join(err, x.giveBack())
}
