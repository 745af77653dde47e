package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
)

// repeatEvery is how often an ID is a repeat of one that came long before.
const repeatEvery = 100

// settleEvery is after how many checks the index hears that they are committed.
const settleEvery = 1000

type filled struct {
	took   time.Duration
	pauses *pauses
}

// fill checks the IDs one after the other, as fast as it goes.
func fill(index *dedup.Index, ids int64) (f filled, err error) {
	if f.pauses, err = newPauses(); err != nil {
		return f, err
	}
	defer f.pauses.threads.close()
	for i := range ids {
		if err := f.check(index, i, ids); err != nil {
			return f, err
		}
		if i%settleEvery == settleEvery-1 {
			index.Settle(i)
			if err := f.pauses.endGroup(); err != nil {
				return f, err
			}
		}
	}
	return f, f.pauses.endGroup()
}

func (f *filled) check(index *dedup.Index, i, ids int64) error {
	const span = 25 * time.Hour
	number := i
	isRepeat := i%repeatEvery == repeatEvery-1
	if isRepeat {
		number = i / 2 / repeatEvery * repeatEvery
	}
	k := key(number)
	at := time.UnixMilli(1_767_225_600_000 + int64(float64(span.Milliseconds())*float64(i)/float64(ids)))
	began := time.Now()
	first, duplicate, err := index.Check(k, i, at, span)
	took := time.Since(began)
	if err != nil {
		return err
	}
	if duplicate != isRepeat || duplicate && first != number {
		return fmt.Errorf("ID %d: repeat %v of %d, want %v of %d", i, duplicate, first, isRepeat, number)
	}
	f.took += took
	f.pauses.add(took)
	return nil
}

// key makes a key of a number, as evenly spread as a hash (the finisher of SplitMix64) and cheaper.
func key(number int64) schemas.Key {
	var k schemas.Key
	binary.LittleEndian.PutUint64(k[:8], mix(uint64(2*number)))
	binary.LittleEndian.PutUint64(k[8:], mix(uint64(2*number+1)))
	return k
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
