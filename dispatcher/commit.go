package dispatcher

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commitTimeout bounds a commit while the role runs; the next one tries again.
const commitTimeout = 5 * time.Second

func (g *group) commitWhenDue(ctx context.Context, client *kgo.Client) {
	if time.Since(g.lastCommit) < g.config.CommitInterval {
		return
	}
	g.lastCommit = time.Now()
	timed, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := commit(timed, client, slices.Collect(maps.Values(g.partitions))); err != nil && ctx.Err() == nil {
		g.logger.Warn("committing finished runs failed; trying again", "error", err)
	}
}

// due is what there is to commit.
type due struct {
	positions map[*partition]position
	offsets   map[string]map[int32]kgo.EpochOffset
	metadata  map[topicPartition]string
}

func collect(partitions []*partition) due {
	d := due{map[*partition]position{}, map[string]map[int32]kgo.EpochOffset{}, map[topicPartition]string{}}
	for _, p := range partitions {
		at, metadata, isDue := p.committable()
		if !isDue {
			continue
		}
		d.positions[p], d.metadata[p.topicPartition] = at, metadata
		if d.offsets[p.topic] == nil {
			d.offsets[p.topic] = map[int32]kgo.EpochOffset{}
		}
		d.offsets[p.topic][p.id] = kgo.EpochOffset{Epoch: at.epoch, Offset: at.next}
	}
	return d
}

// describe puts the maps of finished runs into a commit.
func (d due) describe(request *kmsg.OffsetCommitRequest) error {
	for i := range request.Topics {
		topic := &request.Topics[i]
		for j := range topic.Partitions {
			metadata := d.metadata[topicPartition{topic.Topic, topic.Partitions[j].Partition}]
			topic.Partitions[j].Metadata = &metadata
		}
	}
	return nil
}

// commit writes how far partitions are. After an error any of them may have been committed or not; the next commit
// makes up for it.
func commit(ctx context.Context, client *kgo.Client, partitions []*partition) error {
	d := collect(partitions)
	if len(d.positions) == 0 {
		return nil
	}
	var failure error
	client.CommitOffsetsSync(kgo.PreCommitFnContext(ctx, d.describe), d.offsets,
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
			failure = err
			if err == nil {
				failure = refusal(answer)
			}
		})
	if failure != nil {
		return failure
	}
	for p, at := range d.positions {
		p.committed(at)
	}
	return nil
}

// refusal returns the first error in a commit's answer, nil when there is none.
func refusal(answer *kmsg.OffsetCommitResponse) error {
	for _, topic := range answer.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}
