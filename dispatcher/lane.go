package dispatcher

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/schemas"
)

// topicPartition names a partition.
type topicPartition struct {
	topic string
	id    int32
}

func (n topicPartition) set() map[string][]int32 { return map[string][]int32{n.topic: {n.id}} }

// partition is one assigned partition: the lanes of its runs, and how far they are.
type partition struct {
	topicPartition
	running context.Context    // ends when no new call may start
	stop    context.CancelFunc // ends running
	calls   context.Context    // ends when calls in flight and unacknowledged records are given up
	abort   context.CancelFunc // ends calls
	room    chan<- struct{}    // told, without waiting, when a run is finished
	work    sync.WaitGroup     // lanes at work, and records that Kafka has not acknowledged

	mu      sync.Mutex // guards the fields below
	offsets offsets
	bytes   int64             // of the unfinished runs
	lanes   map[string][]*job // waiting runs by record key; a key that is present has a goroutine at work
}

// job is one run on its way. It is finished when nobody holds it any more: the lane holds it until the run is decided,
// each record about it until Kafka has that record.
type job struct {
	partition *partition
	run       schemas.Run
	offset    int64
	bytes     int64
	holds     atomic.Int32
}

// newPartition ties a partition to the context of the role: when that ends no new call starts, but calls in flight go
// on until abort.
func newPartition(ctx context.Context, name topicPartition, room chan<- struct{}) *partition {
	p := &partition{topicPartition: name, room: room, lanes: map[string][]*job{}}
	p.running, p.stop = context.WithCancel(ctx)
	p.calls, p.abort = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

// add queues a run behind the others of its key. It reports false when the run's offset was added before. deliver is
// called for one run of a key at a time; when it returns false the lane ends and leaves its runs unfinished.
func (p *partition) add(key string, j *job, epoch int32, deliver func(*job) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.offsets.start(j.offset, epoch) {
		return false
	}
	j.hold()
	p.bytes += j.bytes
	queue, busy := p.lanes[key]
	p.lanes[key] = append(queue, j)
	if !busy {
		p.work.Go(func() { p.lane(key, deliver) })
	}
	return true
}

// skip counts an offset as finished at once.
func (p *partition) skip(offset int64, epoch int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.offsets.start(offset, epoch) {
		p.offsets.finish(offset)
	}
}

func (p *partition) lane(key string, deliver func(*job) bool) {
	for j := p.next(key); j != nil; j = p.next(key) {
		if !deliver(j) {
			return
		}
	}
}

func (p *partition) next(key string) *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.lanes[key]
	if len(queue) == 0 {
		delete(p.lanes, key)
		return nil
	}
	p.lanes[key] = queue[1:]
	return queue[0]
}

func (p *partition) finish(j *job) {
	p.mu.Lock()
	p.offsets.finish(j.offset)
	p.bytes -= j.bytes
	p.mu.Unlock()
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// load returns how many runs, and bytes of them, are unfinished, and the gap that a crash would repeat.
func (p *partition) load() (runs int, bytes int64, gap int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offsets.unfinished, p.bytes, p.offsets.gap()
}

func (p *partition) committable() (position, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offsets.committable()
}

func (p *partition) committed(at position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offsets.commit(at)
}

func (j *job) hold() { j.holds.Add(1) }

func (j *job) release() {
	if j.holds.Add(-1) == 0 {
		j.partition.finish(j)
	}
}
