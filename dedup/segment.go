package dedup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/schemas"
)

// A segment file is its entries, sorted by key and offset, and a footer; numbers are little-endian.
//
//	entry   key 16 | offset - base 4 | at - start 4
//	footer  magic 8 | topic ID 16 | partition 4 | 0 4 | from 8 | next 8 | base 8 | start 8 | max at 8 | latest 8 | count 8 |
//	        CRC-32C of the entries 4 | CRC-32C of the footer before it 4
const (
	entrySize    = 24
	footerSize   = 96
	segmentMagic = "MRDEDUP2"
	segmentExt   = ".seg"
)

// footer says what a segment holds.
type footer struct {
	topic      [16]byte
	partition  int32
	from, next int64 // it knows every record between these offsets
	base       int64 // the offset that entries count from
	start      int64 // the time that entries count from, Unix milliseconds
	maxAt      int64
	latest     int64 // the stream's clock after it
	count      int
	checksum   uint32 // of the entries
}

// segment is a sealed part of the index: the keys of a range of offsets, in a mapped file that never changes.
type segment struct {
	footer
	path    string
	entries []byte // mapped
	mapped  []byte
	column  int // of the filter
}

var errDamaged = errors.New("damaged")

func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func (f footer) encode() []byte {
	b := make([]byte, 0, footerSize)
	b = append(b, segmentMagic...)
	b = append(b, f.topic[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(f.partition))
	b = binary.LittleEndian.AppendUint32(b, 0)
	for _, number := range []int64{f.from, f.next, f.base, f.start, f.maxAt, f.latest, int64(f.count)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(number))
	}
	b = binary.LittleEndian.AppendUint32(b, f.checksum)
	return binary.LittleEndian.AppendUint32(b, castagnoli(b))
}

func decodeFooter(b []byte) (footer, error) {
	if len(b) != footerSize || string(b[:8]) != segmentMagic || castagnoli(b[:footerSize-4]) != binary.LittleEndian.Uint32(b[footerSize-4:]) {
		return footer{}, fmt.Errorf("%w: the footer is not one", errDamaged)
	}
	number := func(at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }
	return footer{
		topic: [16]byte(b[8:24]), partition: int32(binary.LittleEndian.Uint32(b[24:])),
		from: number(32), next: number(40), base: number(48), start: number(56), maxAt: number(64), latest: number(72),
		count: int(number(80)), checksum: binary.LittleEndian.Uint32(b[88:]),
	}, nil
}

// writeSegment writes a file that is there as a whole or not at all: it gets its name after it is on disk.
func writeSegment(path string, f footer, entries iter.Seq[slot]) (err error) {
	temporary := path + ".tmp"
	file, err := os.Create(temporary)
	if err != nil {
		return fmt.Errorf("making a dedup segment: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing dedup segment %s: %w", path, err), os.Remove(temporary))
		}
	}()
	err = errors.Join(f.write(file, entries), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// write writes the entries and then the footer. It lets others have the processor with each buffer it fills.
func (f footer) write(file io.Writer, entries iter.Seq[slot]) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	out := bufio.NewWriterSize(io.MultiWriter(file, sum, yielding{}), writeSize)
	var entry [entrySize]byte
	for s := range entries {
		copy(entry[:], s.key[:])
		binary.LittleEndian.PutUint32(entry[16:], s.offset)
		binary.LittleEndian.PutUint32(entry[20:], s.at)
		if _, err := out.Write(entry[:]); err != nil {
			return err
		}
		f.count++
	}
	if err := out.Flush(); err != nil {
		return err
	}
	f.checksum = sum.Sum32()
	_, err := file.Write(f.encode())
	return err
}

// writeSize is how many bytes of a segment are written at a time.
const writeSize = 64 << 10

// yielding is a Writer that gives the processor away.
type yielding struct{}

func (yielding) Write(b []byte) (int, error) {
	runtime.Gosched()
	return len(b), nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openSegment maps a file. An error that is errDamaged means that the file does not hold what was written.
func openSegment(path string) (*segment, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if stat.Size() < footerSize {
		return nil, fmt.Errorf("%w: it has %d bytes", errDamaged, stat.Size())
	}
	mapped, err := unix.Mmap(int(file.Fd()), 0, int(stat.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping it: %w", err)
	}
	s := &segment{path: path, mapped: mapped, entries: mapped[:len(mapped)-footerSize]}
	if s.footer, err = decodeFooter(mapped[len(mapped)-footerSize:]); err == nil && s.count*entrySize != len(s.entries) {
		err = fmt.Errorf("%w: it has %d bytes for %d entries", errDamaged, len(mapped), s.count)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *segment) close() error { return unix.Munmap(s.mapped) }

// remove ends the segment for good.
func (s *segment) remove() error { return errors.Join(s.close(), os.Remove(s.path)) }

// verify compares the entries with their checksum, which reads them all.
func (s *segment) verify() error {
	isSound := false
	if err := guarded(func() { isSound = castagnoli(s.entries) == s.checksum }); err != nil {
		return err
	}
	if !isSound {
		return fmt.Errorf("%w: the entries do not match their checksum", errDamaged)
	}
	return nil
}

func (s *segment) key(i int) schemas.Key { return schemas.Key(s.entries[i*entrySize:]) }

func (s *segment) occurrence(i int) occurrence {
	entry := s.entries[i*entrySize:]
	return occurrence{
		offset: s.base + int64(binary.LittleEndian.Uint32(entry[16:])),
		at:     s.start + int64(binary.LittleEndian.Uint32(entry[20:])),
	}
}

// gather appends the key's occurrences below offset.
func (s *segment) gather(found []occurrence, key schemas.Key, offset int64) []occurrence {
	for i := s.search(key); i < s.count && s.key(i) == key; i++ {
		if o := s.occurrence(i); o.offset < offset {
			found = append(found, o)
		}
	}
	return found
}

// search returns the place of the first entry that is not below key. Keys are hashes, so that a key's value tells
// about where it lies: the search widens from there before it halves.
func (s *segment) search(key schemas.Key) int {
	guess, _ := bits.Mul64(place(key), uint64(s.count))
	low, high := int(guess), int(guess)
	for step := 8; low > 0 && !s.isBelow(low-1, key); step *= 2 {
		high, low = low, max(0, low-step)
	}
	for step := 8; high < s.count && s.isBelow(high, key); step *= 2 {
		low, high = high+1, min(s.count, high+step)
	}
	for low < high {
		middle := int(uint(low+high) >> 1)
		if s.isBelow(middle, key) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func (s *segment) isBelow(i int, key schemas.Key) bool {
	entry := s.entries[i*entrySize:]
	if a, b := binary.BigEndian.Uint64(entry), place(key); a != b {
		return a < b
	}
	return binary.BigEndian.Uint64(entry[8:]) < binary.BigEndian.Uint64(key[8:])
}
