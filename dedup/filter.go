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

// filter is one Bloom filter for each of up to 128 segments, transposed: a row holds the same bit of all of them, so
// that one lookup asks every segment in at most 6 reads. Sealing sets bits beside lookups, hence the atomics.
type filter struct {
	rows   []filterRow
	mapped []byte
	// isDirty says which columns have bits of segments that are gone. The sealer owns it while it is at work.
	isDirty [filterColumns]bool
}

type filterRow [filterColumns / 32]uint32

// columnSet is a set of columns.
type columnSet [filterColumns / 32]uint32

func (c columnSet) has(column int) bool { return c[column/32]&(1<<(column%32)) != 0 }

func newFilter(capacity int) (*filter, error) {
	rows, mapped, err := offHeap[filterRow](capacity * bitsPerEntry)
	return &filter{rows: rows, mapped: mapped}, err
}

// row returns the i-th row of a key: two halves of its hash make as many hashes as there are probes.
func (f *filter) row(key schemas.Key, i uint64) *filterRow {
	h := binary.LittleEndian.Uint64(key[:8]) + i*(binary.LittleEndian.Uint64(key[8:])|1)
	at, _ := bits.Mul64(h, uint64(len(f.rows)))
	return &f.rows[at]
}

// columns returns the columns whose segments may have the key.
func (f *filter) columns(key schemas.Key) (columnSet, bool) {
	var left columnSet
	for i := range left {
		left[i] = ^uint32(0)
	}
	for probe := range uint64(probes) {
		row := f.row(key, probe)
		any := uint32(0)
		for i := range left {
			left[i] &= atomic.LoadUint32(&row[i])
			any |= left[i]
		}
		if any == 0 {
			return left, false
		}
	}
	return left, true
}

func (f *filter) add(column int, key schemas.Key) {
	for probe := range uint64(probes) {
		atomic.OrUint32(&f.row(key, probe)[column/32], 1<<(column%32))
	}
}

func (f *filter) reset() {
	clear(f.rows)
	f.isDirty = [filterColumns]bool{}
}

// clear takes the bits of former segments out of a column.
func (f *filter) clear(column int) {
	if !f.isDirty[column] {
		return
	}
	for i := range f.rows {
		atomic.AndUint32(&f.rows[i][column/32], ^uint32(1<<(column%32)))
	}
	f.isDirty[column] = false
}
