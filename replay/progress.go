package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Progress tells how far replays are, from what their consumer groups have committed. All who ask share its connections.
type Progress struct {
	cluster kafka.Config
	client  *kgo.Client
}

// NewProgress returns a Progress, which must be closed. It connects when it is first asked.
func NewProgress(cluster kafka.Config) (*Progress, error) {
	client, err := kgo.NewClient(cluster.Options()...)
	if err != nil {
		return nil, fmt.Errorf("connecting to Kafka to tell how far replays are: %w", err)
	}
	return &Progress{cluster, client}, nil
}

// Close closes its connections. Who still asks gets an error.
func (p *Progress) Close() { p.client.Close() }

// Of tells how far a replay is. One that has ended tells its result. Any goroutine may call it.
func (p *Progress) Of(ctx context.Context, replay schemas.Replay) (schemas.ReplayProgress, error) {
	if replay.Result != nil || len(replay.Partitions) == 0 {
		return sum(replay, nil), nil
	}
	done, err := committed(ctx, kadm.NewClient(p.client), p.cluster, replay.ID)
	if err != nil {
		return schemas.ReplayProgress{}, err
	}
	return sum(replay, done), nil
}

// checkpoint is what is committed of a partition.
type checkpoint struct {
	next   int64 // offset: everything before it is done
	counts counts
}

// groupName returns the name of a replay's consumer group.
func groupName(cluster kafka.Config, id string) string { return cluster.Group("replay." + id) }

// committed asks for the checkpoints of a replay, by partition. Those that have none yet are missing.
func committed(ctx context.Context, admin *kadm.Client, cluster kafka.Config, id string) (map[int32]checkpoint, error) {
	group := groupName(cluster, id)
	offsets, err := admin.FetchOffsets(ctx, group)
	if err == nil {
		err = offsets.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) { // nobody has joined it yet
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for what group %s has committed: %w", group, err)
	}
	done := map[int32]checkpoint{}
	for number, offset := range offsets[cluster.Topic(schemas.EventsTopic)] {
		if offset.At < 0 {
			continue
		}
		c, err := decodeCounts(offset.Metadata)
		if err != nil {
			return nil, fmt.Errorf("group %s, partition %d: %w", group, number, err)
		}
		done[number] = checkpoint{offset.At, c}
	}
	return done, nil
}

// sum adds up what was done in all partitions.
func sum(replay schemas.Replay, done map[int32]checkpoint) schemas.ReplayProgress {
	if replay.Result != nil {
		return *replay.Result
	}
	var total schemas.ReplayProgress
	var all counts
	for _, span := range replay.Partitions {
		total.Total += span.End - span.Start
		if at, found := done[span.Partition]; found {
			total.Done += min(at.next, span.End) - span.Start
			all = all.plus(at.counts)
		}
	}
	return all.into(total)
}

// into sets the counters of a progress.
func (c counts) into(p schemas.ReplayProgress) schemas.ReplayProgress {
	p.Read, p.Skipped, p.Matched, p.Created, p.Existed, p.Errors = c.Read, c.Skipped, c.Matched, c.Created, c.Existed, c.Errors
	if p.Errors == nil {
		p.Errors = map[string]int64{}
	}
	return p
}

// isDone reports whether all partitions are at their end.
func isDone(replay schemas.Replay, done map[int32]checkpoint) bool {
	for _, span := range replay.Partitions {
		if span.Start < span.End && done[span.Partition].next < span.End {
			return false
		}
	}
	return true
}
