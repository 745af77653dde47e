package eventlog

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/telemetry"
)

// group is the role's name in its consumer group.
const group = "eventlog"

// fetchWait is how long a broker may hold a fetch that has nothing to answer. A partition that joins the others, after
// an assignment or a pause, is not read before the fetch under way is answered: with the client's default of five
// seconds, events would stay invisible that long after a restart.
const fetchWait = 250 * time.Millisecond

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
		kgo.OnPartitionsLost(l.revoked),
	)
	if l.config.InstanceID != "" {
		options = append(options, kgo.InstanceID(l.config.InstanceID))
	}
	return options
}

// assigned notes that somebody else may have written rows of the partitions beyond the committed offset.
func (l *EventLog) assigned(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, numbers := range partitions {
		l.lanes[topic].assign(numbers)
	}
}

// revoked forgets the rows that were not written: the next owner reads them again.
func (l *EventLog) revoked(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, numbers := range partitions {
		l.lanes[topic].revoke(numbers)
	}
}

// drop forgets everything that was read.
func (l *EventLog) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, lane := range l.lanes {
		l.lanes[topic] = newLane(topic, lane.table)
	}
}
