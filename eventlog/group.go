package eventlog

import (
	"context"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/telemetry"
)

// group is the role's name in its consumer group.
const group = "eventlog"

// A broker answers a fetch when fetchAtLeast bytes are there, or after fetchWait. Rows gather for a second anyway, and a
// fetch costs broker and client about the same for one record as for hundreds. A partition that joins the others, after an
// assignment or a pause, is not read before the fetch under way is answered: with the client's default of five seconds,
// events would stay invisible that long after a restart. It is below the time after which a block is taken for alone (quiet).
const (
	fetchAtLeast = 1 << 20
	fetchWait    = 100 * time.Millisecond
)

func (l *EventLog) options(alive context.Context) []kgo.Opt {
	topics := make([]string, 0, len(l.lanes))
	for topic := range l.lanes {
		topics = append(topics, topic)
	}
	options := append(
		l.kafka.Options(),
		telemetry.KafkaLogger(l.log),
		kgo.WithContext(alive),
		kgo.ConsumerGroup(l.kafka.Group(group)),
		kgo.ConsumeTopics(topics...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMinBytes(fetchAtLeast),
		// A partition without a commit is read from its start. One whose commit is out of range is not reset.
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.DisableAutoCommit(),
		// Offsets are committed and rows dropped between polls only, so that a partition has one writer at a time.
		kgo.BlockRebalanceOnPoll(),
		kgo.RebalanceTimeout(2*flushTimeout),
		// A process that was killed gives its partitions up this much later.
		kgo.SessionTimeout(15*time.Second),
		kgo.OnPartitionsAssigned(l.assigned),
		kgo.OnPartitionsRevoked(l.revoked),
		kgo.OnPartitionsLost(l.lost),
	)
	if l.config.InstanceID != "" {
		options = append(options, kgo.InstanceID(l.config.InstanceID))
	}
	return options
}

// assigned notes that somebody else may have written rows of the partitions beyond the committed offset. What a former
// owner in this process paused is read again.
func (l *EventLog) assigned(_ context.Context, client *kgo.Client, partitions map[string][]int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hasJoined.Store(true)
	for topic, numbers := range partitions {
		for _, number := range numbers {
			lane := l.lane(topic, number)
			lane.assign(number)
			l.metrics.stopped.WithLabelValues(topic, strconv.Itoa(int(number))).Set(0)
			lane.isPaused = false
			client.ResumeFetchPartitions(lane.owned())
		}
	}
}

// revoked waits for the inserts under way, which are bounded, commits what is in the tables, and forgets the rows that
// are not: the next owner reads them again.
func (l *EventLog) revoked(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
	l.commit(ctx, client, l.release(partitions))
}

// lost is revoked after the group has given the partitions to somebody else: nothing can be committed.
func (l *EventLog) lost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	l.release(partitions)
}

func (l *EventLog) release(partitions map[string][]int32) (done []*kgo.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, numbers := range partitions {
		for _, number := range numbers {
			lane := l.lane(topic, number)
			lane.await()
			done = append(done, l.land(lane)...)
			lane.revoke(number)
			l.metrics.stopped.DeleteLabelValues(topic, strconv.Itoa(int(number)))
		}
	}
	return done
}
