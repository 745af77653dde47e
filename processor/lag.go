package processor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/kafka"
)

// measureLag keeps the lag of the partitions that are owned until stop is called.
func (p *Processor) measureLag(ctx context.Context, client *kgo.Client) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var measuring sync.WaitGroup
	measuring.Go(func() {
		kafka.Lag{Group: p.kafka.Group("processor"), Owned: p.memory.owned, Gauge: p.metrics.lag, Logger: p.logger}.Measure(ctx, client)
	})
	return func() {
		cancel()
		measuring.Wait()
	}
}

// owned returns the partitions that are assigned.
func (m *memory) owned() map[string][]int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	owned := map[string][]int32{}
	for number := range m.partitions {
		for topic := range m.topicPartition(number) {
			owned[topic] = append(owned[topic], number)
		}
	}
	return owned
}

// size is how large an index is, as of its last commit: only the loop may ask the index itself.
type size struct {
	keys  atomic.Int64
	reach atomic.Int64 // a time.Duration
}

func (s *size) note(index *dedup.Index) {
	s.keys.Store(int64(index.Len()))
	s.reach.Store(int64(index.Reach()))
}

func (m *memory) keys() (sum float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.partitions {
		sum += float64(r.size.keys.Load())
	}
	return sum
}

func (m *memory) hours() (shortest float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	isFirst := true
	for _, r := range m.partitions {
		reach := time.Duration(r.size.reach.Load()).Hours()
		if isFirst || reach < shortest {
			isFirst, shortest = false, reach
		}
	}
	return shortest
}
