package processor

import "github.com/twmb/franz-go/pkg/kgo"

// recordPool keeps what the client takes to read records again: only a few headers of an event are looked at, and then
// all of it would be garbage, a gigabyte a second. Unlike a sync.Pool it is not emptied by the collections that are
// frequent where so much is read into so small a heap. It goes with its client.
type recordPool struct {
	records chan []kgo.Record
	bytes   chan []byte
}

var (
	_ kgo.PoolRecords         = (*recordPool)(nil)
	_ kgo.PoolDecompressBytes = (*recordPool)(nil)
)

// recordPoolSize is about how many batches two fetches bring, which are in hand at the same time.
const recordPoolSize = 64

func newRecordPool() *recordPool {
	return &recordPool{make(chan []kgo.Record, recordPoolSize), make(chan []byte, recordPoolSize)}
}

// GetRecords returns a slice with room for n.
func (p *recordPool) GetRecords(n int) []kgo.Record {
	if kept := take(p.records); cap(kept) >= n {
		return kept
	}
	return make([]kgo.Record, 0, n)
}

// PutRecords keeps the slice.
func (p *recordPool) PutRecords(records []kgo.Record) { keep(p.records, records) }

// GetDecompressBytes returns a slice that the client replaces by a longer one if it has to, and nil at first.
func (p *recordPool) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte {
	return take(p.bytes)
}

// PutDecompressBytes keeps the slice.
func (p *recordPool) PutDecompressBytes(bytes []byte) { keep(p.bytes, bytes) }

func take[T any](from chan []T) []T {
	select {
	case kept := <-from:
		return kept
	default:
		return nil
	}
}

func keep[T any](in chan []T, values []T) {
	select {
	case in <- values:
	default: // enough are kept
	}
}
