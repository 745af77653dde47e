package dedup_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
)

// numbered returns a key that is spread like a hash.
func numbered(number int64) schemas.Key {
	var text [8]byte
	binary.LittleEndian.PutUint64(text[:], uint64(number))
	return schemas.EventKey(string(text[:]))
}

// TestMoreSegmentsThanFilterColumnsAnswerTheSame fills so many tables within the window that segments share columns, and
// opens the index again in the middle.
func TestMoreSegmentsThanFilterColumnsAnswerTheSame(t *testing.T) {
	const keys = 400_000 // 2,796 fill a table of MinMemory
	o := options(t.TempDir())
	index, err := dedup.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	at := func(offset int64) time.Time { return noon().Add(time.Duration(offset) * 50 * time.Millisecond) }
	check := func(number, offset, wantFirst int64, want bool) {
		first, duplicate, err := index.Check(numbered(number), offset, at(offset), day)
		if err != nil || duplicate != want || want && first != wantFirst {
			t.Fatalf("offset %d: duplicate %v of %d, %v, want %v of %d", offset, duplicate, first, err, want, wantFirst)
		}
	}
	for offset := range int64(keys) {
		check(offset, offset, 0, false)
	}
	requireClosed(t, index)
	index = open(t, o)
	for offset := index.Next(); offset < keys; offset++ {
		if err := index.Note(numbered(offset), offset, at(offset)); err != nil {
			t.Fatal(err)
		}
	}
	for number := int64(0); number < keys; number += 97 {
		check(number, keys+number, number, true)
	}
}

// BenchmarkCheck is a check of a new key against an index that fills up.
func BenchmarkCheck(b *testing.B) {
	o := options(b.TempDir())
	o.Memory = 64 << 20
	index, err := dedup.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]schemas.Key, 1_000_000)
	for i := range keys {
		keys[i] = numbered(int64(i))
	}
	b.ReportAllocs()
	offset := int64(0)
	for b.Loop() {
		k := keys[offset%int64(len(keys))]
		k[0] += byte(offset / int64(len(keys))) // another million keys
		if _, _, err := index.Check(k, offset, noon().Add(time.Duration(offset)*time.Millisecond), day); err != nil {
			b.Fatal(err)
		}
		offset++
	}
	b.StopTimer()
	if err := index.Close(); err != nil {
		b.Fatal(err)
	}
}
