package processor

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// together is how many events are worth the start of more deciders than one.
const together = 200

// batch gathers what is written for events that are committed together. All of them see the same catalog, and
// partitions neither come nor go meanwhile.
type batch struct {
	processor *Processor
	produce   func(*kgo.Record) // any goroutine may call it
	decidedAt time.Time

	mu    sync.Mutex      // guards the fields below while deciders are at work
	bytes int             // of all outputs
	next  map[int32]int64 // by partition, the offset after the last event
}

func newBatch(p *Processor, produce func(*kgo.Record)) *batch {
	p.triggers.follow(p.catalog.Snapshot())
	return &batch{
		processor: p, produce: produce, next: map[int32]int64{},
		decidedAt: p.now().UTC().Truncate(time.Millisecond),
	}
}

// addAll decides on the events of a poll, and writes what comes of them: partitions side by side, each in its order.
func (b *batch) addAll(ctx context.Context, fetches kgo.Fetches) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(len(b.processor.deciders))
	if fetches.NumRecords() < together {
		group.SetLimit(1)
	}
	fetches.EachPartition(func(polled kgo.FetchTopicPartition) {
		if len(polled.Records) > 0 {
			group.Go(func() error { return b.addPartition(ctx, polled.Partition, polled.Records) })
		}
	})
	return group.Wait()
}

func (b *batch) addPartition(ctx context.Context, number int32, records []*kgo.Record) error {
	partition, err := b.processor.memory.of(number)
	if err != nil {
		return err
	}
	decider := <-b.processor.deciders
	defer func() { b.processor.deciders <- decider }()
	bytes, err := decider.decideAll(ctx, b, partition, records)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += bytes
	b.next[number] = max(partition.settled, records[len(records)-1].Offset+1)
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
