package processor

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// together is how many events of a partition are decided on in one piece; fewer in all are not worth a second decider.
const together = 200

// batch gathers what is written for events that are committed together. All of them see the same catalog, and
// partitions neither come nor go meanwhile.
type batch struct {
	processor *Processor
	produce   func(*kgo.Record) // any goroutine may call it
	decidedAt time.Time         // when the last poll's events came

	mu    sync.Mutex      // guards the fields below while deciders are at work
	bytes int             // of all outputs
	next  map[int32]int64 // by partition, the offset after the last event
	tally tally
}

func newBatch(p *Processor, produce func(*kgo.Record)) (*batch, error) {
	if err := p.followCatalog(); err != nil {
		return nil, err
	}
	return &batch{processor: p, produce: produce, next: map[int32]int64{}}, nil
}

// share is what was polled of a partition and is not decided on yet. One decider at a time works on it.
type share struct {
	number    int32
	partition *remembered
	records   []*kgo.Record
}

// addAll decides on the events of a poll, and writes what comes of them: partitions side by side, each in its order.
func (b *batch) addAll(ctx context.Context, fetches kgo.Fetches) error {
	b.decidedAt = b.processor.now().UTC().Truncate(time.Millisecond)
	shares, err := b.shares(fetches)
	if err != nil {
		return err
	}
	waiting := make(chan *share, len(shares))
	for _, share := range shares {
		waiting <- share
	}
	var left atomic.Int64
	left.Store(int64(len(shares)))
	workers := min(len(shares), cap(b.processor.deciders))
	if fetches.NumRecords() < together {
		workers = 1
	}
	var group errgroup.Group
	for range workers {
		group.Go(func() error { return b.work(ctx, waiting, &left) })
	}
	return group.Wait()
}

func (b *batch) shares(fetches kgo.Fetches) (map[int32]*share, error) {
	shares := map[int32]*share{}
	var missing error
	fetches.EachPartition(func(polled kgo.FetchTopicPartition) {
		known, found := shares[polled.Partition]
		switch {
		case len(polled.Records) == 0 || b.processor.stopped.isStopped(polled.Partition):
		case found:
			known.records = append(known.records, polled.Records...)
		default:
			partition, err := b.processor.memory.of(polled.Partition)
			missing = errors.Join(missing, err)
			shares[polled.Partition] = &share{polled.Partition, partition, polled.Records}
		}
	})
	return shares, missing
}

// work decides on a piece of whichever share is waiting, until none is left, so that all deciders end at the same time.
func (b *batch) work(ctx context.Context, waiting chan *share, left *atomic.Int64) error {
	decider := <-b.processor.deciders
	defer func() { b.processor.deciders <- decider }()
	for share := range waiting {
		piece := share.records[:min(together, len(share.records))]
		share.records = share.records[len(piece):]
		err := b.decide(ctx, decider, share, piece)
		if err == nil && len(share.records) > 0 {
			waiting <- share
			continue
		}
		if left.Add(-1) == 0 {
			close(waiting)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) decide(ctx context.Context, decider *decider, share *share, records []*kgo.Record) error {
	bytes, err := decider.decideAll(ctx, b, share.partition, records)
	next := records[len(records)-1].Offset + 1
	var foreign *foreignError
	if errors.As(err, &foreign) {
		b.processor.stopped.stopBefore(share.number, foreign)
		share.records, next, err = nil, foreign.offset, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += bytes
	b.tally.add(decider.tally)
	decider.tally = tally{}
	b.next[share.number] = max(share.partition.settled, next)
	return err
}

// newDeciders returns as many deciders as the process may use processors.
func newDeciders(p *Processor) chan *decider {
	count := runtime.GOMAXPROCS(0)
	deciders := make(chan *decider, count)
	for range count {
		deciders <- &decider{processor: p, bindings: bindings{triggers: p.triggers}, decision: newDecision()}
	}
	return deciders
}
