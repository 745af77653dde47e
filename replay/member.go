package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// rebalanceTime is how long a rebalance waits for a member that is in the middle of a round.
const rebalanceTime = time.Minute

// member is the membership in a replay's consumer group. It never reads: it is told which partitions are its own, writes
// what comes of their events, and commits.
type member struct {
	cluster kafka.Config
	replay  schemas.Replay
	topic   string
	client  *kgo.Client
	admin   *kadm.Client

	// mu is held over a round, so that a partition is not handed over in the middle of one, and guards what follows.
	mu       sync.Mutex
	assigned map[int32]bool
	gained   []int32 // since the last round
	lost     []int32
}

func join(cluster kafka.Config, replay schemas.Replay, session time.Duration, logger *slog.Logger) (*member, error) {
	m := &member{cluster: cluster, replay: replay, topic: cluster.Topic(schemas.EventsTopic), assigned: map[int32]bool{}}
	client, err := kgo.NewClient(append(cluster.Options(),
		telemetry.KafkaLogger(logger),
		kgo.ConsumerGroup(groupName(cluster, replay.ID)),
		kgo.ConsumeTopics(m.topic),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(min(3*time.Second, session/3)),
		kgo.RebalanceTimeout(rebalanceTime),
		kgo.OnPartitionsAssigned(m.gain),
		kgo.OnPartitionsRevoked(m.lose),
		kgo.OnPartitionsLost(m.lose),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to Kafka: %w", err)
	}
	client.PauseFetchTopics(m.topic)
	m.client, m.admin = client, kadm.NewClient(client)
	return m, nil
}

// leave leaves the group.
func (m *member) leave() { m.client.Close() }

func (m *member) gain(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, number := range partitions[m.topic] {
		m.assigned[number] = true
		m.gained = append(m.gained, number)
	}
}

func (m *member) lose(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, number := range partitions[m.topic] {
		delete(m.assigned, number)
		m.lost = append(m.lost, number)
	}
}

// follow makes a walk go along the partitions that are this member's. mu is held.
func (m *member) follow(ctx context.Context, w *walk) error {
	for _, number := range m.lost {
		w.remove(number)
	}
	m.lost = nil
	if len(m.gained) == 0 {
		return nil
	}
	done, err := committed(ctx, m.admin, m.cluster, m.replay.ID)
	if err != nil {
		return err
	}
	for _, span := range m.replay.Partitions {
		if m.assigned[span.Partition] && w.partitions[span.Partition] == nil {
			w.add(newPartition(span, done[span.Partition]))
		}
	}
	m.gained = nil
	return nil
}

// write writes what came of events and returns when all of it is acknowledged.
func (m *member) write(ctx context.Context, chunks []*chunk) error {
	decisions, runs := m.cluster.Topic(schemas.ReplayedTopic), m.cluster.Topic(schemas.ReplayRunsTopic)
	var failed kgo.FirstErrPromise
	now := time.Now()
	for _, c := range chunks {
		for _, made := range c.decisions {
			m.client.Produce(ctx, &kgo.Record{Topic: decisions, Key: made.key, Value: made.value, Timestamp: now}, failed.Promise())
		}
		for _, run := range c.runs {
			m.client.Produce(ctx, &kgo.Record{Topic: runs, Key: run.Key, Value: run.Value, Timestamp: now}, failed.Promise())
		}
	}
	// Flush sends what waits for more at once; each record ends with ctx at the latest.
	if err := errors.Join(m.client.Flush(ctx), failed.Err()); err != nil {
		return fmt.Errorf("writing decisions and runs: %w", err)
	}
	return nil
}

// commit commits how far the partitions are after the chunks, with the counters of each, and takes the chunks as done.
func (m *member) commit(ctx context.Context, chunks []*chunk) error {
	offsets := map[int32]kgo.EpochOffset{}
	metadata := map[int32]string{}
	for _, c := range chunks {
		p := c.partition
		if p.after(c.events) == p.position {
			continue
		}
		text, err := p.counts.plus(c.counts).encode()
		if err != nil {
			return err
		}
		offsets[p.number], metadata[p.number] = kgo.EpochOffset{Epoch: -1, Offset: p.after(c.events)}, text
	}
	if len(offsets) == 0 {
		return nil
	}
	if err := m.commitOffsets(ctx, offsets, metadata); err != nil {
		return fmt.Errorf("committing to group %s: %w", groupName(m.cluster, m.replay.ID), err)
	}
	for _, c := range chunks {
		c.partition.finish(c.events, c.counts)
	}
	return nil
}

func (m *member) commitOffsets(ctx context.Context, offsets map[int32]kgo.EpochOffset, metadata map[int32]string) (failed error) {
	withMetadata := kgo.PreCommitFnContext(ctx, func(request *kmsg.OffsetCommitRequest) error {
		for i := range request.Topics {
			for j := range request.Topics[i].Partitions {
				partition := &request.Topics[i].Partitions[j]
				partition.Metadata = kmsg.StringPtr(metadata[partition.Partition])
			}
		}
		return nil
	})
	m.client.CommitOffsetsSync(withMetadata, map[string]map[int32]kgo.EpochOffset{m.topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			failed = err
			if err != nil {
				return
			}
			for _, topic := range response.Topics {
				for _, partition := range topic.Partitions {
					failed = errors.Join(failed, kerr.ErrorForCode(partition.ErrorCode))
				}
			}
		})
	return failed
}
