package dedup

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"github.com/millrace/millrace/schemas"
)

// The shape of the filter. With 16 bits for each entry of a full segment and 6 of them set for a key, a segment that
// does not have a key is looked into about once in 1,000 times.
const (
	filterColumns = 128
	bitsPerEntry  = 16
	probes        = 6
)

// reach is within how many rows the bits of a key lie: 64 KiB, so that they share a page of memory, and that a sealer,
// which goes through the keys in their order, works in the processor's cache. Some 256 keys share a reach, enough to
// make it nearly as good as the whole filter would be.
const reach = 4096

// filter is one Bloom filter for each of up to 128 segments, transposed: a row holds the same bit of all of them, so
// that one lookup asks every segment in at most 6 reads. Sealing sets bits beside lookups, hence the atomics.
type filter struct {
	rows   []filterRow
	mapped []byte
	// isDirty says which columns have bits of segments that are gone. The sealer owns it while it is at work.
	isDirty [filterColumns]bool
}

type filterRow [filterColumns / 64]uint64

// columnSet is a set of columns.
type columnSet [filterColumns / 64]uint64

func (c columnSet) has(column int) bool { return c[column/64]&(1<<(column%64)) != 0 }

func newFilter(capacity int) (*filter, error) {
	rows, mapped, err := offHeap[filterRow](capacity*bitsPerEntry + reach)
	return &filter{rows: rows, mapped: mapped}, err
}

// around returns the rows that a key's bits lie in; they follow the order of the keys.
func (f *filter) around(key schemas.Key) *[reach]filterRow {
	at, _ := bits.Mul64(place(key), uint64(len(f.rows)-reach))
	return (*[reach]filterRow)(f.rows[at : at+reach])
}

// probe returns which of the rows around a key holds the i-th of its bits.
func probe(key schemas.Key, i int) uint64 {
	return binary.BigEndian.Uint64(key[8:]) >> (i * 10) % reach
}

// columns returns the columns whose segments may have the key.
func (f *filter) columns(key schemas.Key) (columnSet, bool) {
	left := columnSet{^uint64(0), ^uint64(0)}
	around := f.around(key)
	for i := range probes {
		row := &around[probe(key, i)]
		left[0] &= atomic.LoadUint64(&row[0])
		left[1] &= atomic.LoadUint64(&row[1])
		if left[0]|left[1] == 0 {
			return left, false
		}
	}
	return left, true
}

func (f *filter) add(column int, key schemas.Key) {
	around := f.around(key)
	for i := range probes {
		atomic.OrUint64(&around[probe(key, i)][column/64], 1<<(column%64))
	}
}

func (f *filter) reset() {
	wipe(f.rows)
	f.isDirty = [filterColumns]bool{}
}

// clear takes the bits of former segments out of a column.
func (f *filter) clear(column int) {
	if !f.isDirty[column] {
		return
	}
	word, bit := column/64, uint64(1)<<(column%64)
	inPieces(f.rows, func(rows []filterRow) {
		for i := range rows {
			if atomic.LoadUint64(&rows[i][word])&bit != 0 {
				atomic.AndUint64(&rows[i][word], ^bit)
			}
		}
	})
	f.isDirty[column] = false
}
