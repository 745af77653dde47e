package dispatcher

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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

	// The group's mutex guards these fields.
	held     []*job    // read and not in a lane yet
	moved    time.Time // when a held run last got into its lane, or the first one came
	isPaused bool      // whether the client leaves it alone
	foreign  string    // why it is not read on, where the next record is of another version of Millrace

	mu         sync.Mutex // guards the fields below
	isReady    bool       // whether it may be read: what was delivered before is known
	offsets    offsets
	bytes      int64             // of the unfinished runs
	shares     map[*share]int    // how many unfinished runs count in each; nil when the partition is given up
	lanes      map[string][]*job // waiting runs by record key; a key that is present has a goroutine at work
	evictBelow int64             // runs below that wait in memory go into a retry topic
	evicted    chan struct{}     // closed when evictBelow grows
}

// job is one run on its way. It is finished when nobody holds it any more: the lane holds it until the run is decided,
// each record about it until Kafka has that record.
type job struct {
	partition *partition
	record    *kgo.Record
	run       schemas.Run
	meta      schemas.RunMeta
	key       string // whose order it belongs to
	share     *share
	isParked  bool // set by its lane before it is finished
	holds     atomic.Int32
}

// newPartition ties a partition to the context of the role: when that ends no new call starts, but calls in flight go
// on until abort.
func newPartition(ctx context.Context, name topicPartition, room chan<- struct{}) *partition {
	p := &partition{topicPartition: name, room: room, lanes: map[string][]*job{}, shares: map[*share]int{}, evicted: make(chan struct{})}
	p.running, p.stop = context.WithCancel(ctx)
	p.calls, p.abort = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

// start counts a run as under way. It reports false when its offset was started before.
func (p *partition) start(j *job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.offsets.start(j.record.Offset, j.record.LeaderEpoch) {
		return false
	}
	j.hold()
	p.bytes += j.bytes()
	if j.share != nil {
		p.shares[j.share]++
	}
	return true
}

// queue puts a run that was started behind the others of its key. deliver is called for one run of a key at a time; when
// it returns false the lane ends and leaves its runs unfinished.
func (p *partition) queue(j *job, deliver func(*job) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting, busy := p.lanes[j.key]
	p.lanes[j.key] = append(waiting, j)
	if !busy {
		p.work.Go(func() { p.lane(j.key, deliver) })
	}
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
	p.offsets.finish(j.record.Offset)
	p.bytes -= j.bytes()
	if j.share != nil && p.shares != nil {
		p.shares[j.share]--
		if p.shares[j.share] == 0 {
			delete(p.shares, j.share)
		}
		j.share.leave(!j.isParked)
	}
	p.mu.Unlock()
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// forsake cuts calls in flight off. The unfinished runs are somebody else's from now on, and take no room here.
func (p *partition) forsake() {
	p.abort()
	p.mu.Lock()
	defer p.mu.Unlock()
	for of, count := range p.shares {
		for range count {
			of.leave(false)
		}
	}
	p.shares = nil
}

// load returns the bytes of unfinished runs.
func (p *partition) load() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

// gap returns how many runs lie beyond the oldest unfinished one.
func (p *partition) gap() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offsets.gap()
}

// evict sends the runs that hold up the commit on their way: the older half.
func (p *partition) evict() {
	p.mu.Lock()
	defer p.mu.Unlock()
	below := p.offsets.oldest()
	if below <= p.evictBelow {
		return
	}
	p.evictBelow = below
	close(p.evicted)
	p.evicted = make(chan struct{})
}

func (p *partition) eviction() (below int64, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.evictBelow, p.evicted
}

// committable returns what to commit, with the map of what is finished beyond, and whether that is due.
func (p *partition) committable() (at position, metadata string, isDue bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, isDue = p.offsets.committable()
	if isDue {
		metadata = p.offsets.done().encode(at.next)
	}
	return at, metadata, isDue
}

func (p *partition) committed(at position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offsets.commit(at)
}

func (p *partition) restore(done doneMap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offsets.restore(done)
	p.isReady = true
}

func (p *partition) ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isReady
}

func (p *partition) wasFinished(offset int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offsets.wasFinished(offset)
}

func (j *job) bytes() int64 { return int64(len(j.record.Value)) }

func (j *job) hold() { j.holds.Add(1) }

func (j *job) release() {
	if j.holds.Add(-1) == 0 {
		j.partition.finish(j)
	}
}

// rested says how a wait ended.
type rested int

const (
	rightAway rested = iota // it is time for the next attempt
	evicted                 // the run must not wait in memory any longer
	stopped                 // no new call may start
)

// rest waits.
func (j *job) rest(wait time.Duration) rested {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		below, changed := j.partition.eviction()
		if j.record.Offset < below {
			return evicted
		}
		select {
		case <-timer.C:
			return rightAway
		case <-j.partition.running.Done():
			return stopped
		case <-changed:
		}
	}
}
