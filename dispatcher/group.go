package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// group is the membership in the consumer group: it holds the assigned partitions, feeds their lanes and commits.
type group struct {
	ctx        context.Context // of the role; the parent of every partition
	config     Config
	name       string // on the broker
	instance   string // of this member
	topics     []string
	runs       string // the topic of live runs
	logger     *slog.Logger
	crowd      *crowd
	delivered  *delivered
	courier    *courier      // set before the first poll
	room       chan struct{} // holds a token when a run was finished
	lastCommit time.Time
	drains     sync.WaitGroup // partitions given up whose work has not ended, and those that are being prepared

	// mu guards the field below, and what is the loop's in partitions. It is held during a commit, so that a partition is not handed over in the middle of
	// one: the broker would take the late commit and rewind the next owner.
	mu         sync.Mutex
	partitions map[topicPartition]*partition
	hasJoined  bool // whether the group has assigned anything, be it nothing
}

// lookAgain is how often runs that wait for a place are looked at.
const lookAgain = 10 * time.Millisecond

// pollRuns is how many runs are read at once.
const pollRuns = 1000

// poll reads runs into their lanes, for CommitInterval at most. While the bounds on outstanding runs are reached it
// reads nothing and waits for one to finish; Kafka keeps the rest.
func (g *group) poll(ctx context.Context, client *kgo.Client) error {
	defer g.steer(client)
	ctx, cancel := context.WithTimeout(ctx, g.patience())
	defer cancel()
	room := g.measure()
	if room <= 0 {
		select {
		case <-g.room:
		case <-ctx.Done():
		}
		g.admitAll()
		return nil
	}
	defer client.AllowRebalance() // only now: a partition must not leave between its fetch and its lanes
	fetches := client.PollRecords(ctx, min(room, pollRuns))
	for _, failed := range fetches.Errors() {
		if err := g.explain(failed); err != nil {
			return err
		}
	}
	fetches.EachPartition(g.take)
	g.admitAll()
	return nil
}

// patience is how long a poll may take: runs that are held are looked at again soon.
func (g *group) patience() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	least := g.config.CommitInterval
	now := time.Now()
	for _, p := range g.partitions {
		if len(p.held) > 0 {
			least = min(least, max(p.held[0].meta.Due.Sub(now), lookAgain))
		}
	}
	return least
}

// explain returns an error that a person must look at, and nil for one that passes.
func (g *group) explain(failed kgo.FetchError) error {
	var session *kgo.ErrGroupSession
	switch {
	case errors.Is(failed.Err, context.DeadlineExceeded), errors.Is(failed.Err, context.Canceled):
		return nil
	case errors.Is(failed.Err, kerr.OffsetOutOfRange):
		return fmt.Errorf("reading %s partition %d: %w: the runs from the committed offset on are no longer in the topic; "+
			"compare the group's offset with the topic's, then set it by hand", failed.Topic, failed.Partition, failed.Err)
	case errors.Is(failed.Err, kerr.FencedInstanceID):
		return fmt.Errorf("reading runs: %w: another dispatcher has the name of this one; was --dispatcher-delivered-dir copied? Remove the file `instance` in it", failed.Err)
	case errors.As(failed.Err, &session), kerr.IsRetriable(failed.Err):
		g.logger.Warn("reading runs failed; trying again", "topic", failed.Topic, "partition", failed.Partition, "error", failed.Err)
		return nil
	}
	return fmt.Errorf("reading %s partition %d: %w", failed.Topic, failed.Partition, failed.Err)
}

// take holds what was read, in its order.
func (g *group) take(fetched kgo.FetchTopicPartition) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.partitions[topicPartition{fetched.Topic, fetched.Partition}]
	if p == nil || p.foreign != "" {
		return
	}
	if len(p.held) == 0 {
		p.moved = time.Now()
	}
	p.held = slices.Grow(p.held, len(fetched.Records))
	for _, record := range fetched.Records {
		j := g.read(p, record)
		if j == nil {
			return
		}
		p.held = append(p.held, j)
	}
}

// read makes a job of a record. A record that is no run cannot become one by waiting: its job has no run ID, and is
// passed over in its turn. One of another version of Millrace is a run to others: it returns nil, and the partition stops.
func (g *group) read(p *partition, record *kgo.Record) *job {
	j := &job{partition: p, record: record}
	run, err := decode(record.Value)
	if err == nil {
		j.meta, err = schemas.ReadRunMeta(record.Headers)
	}
	if schemas.IsOtherVersion(err) {
		g.stop(p, record, err)
		return nil
	}
	if err != nil {
		g.logger.Error("a record is not a run and is passed over", "topic", record.Topic, "partition", record.Partition,
			"offset", record.Offset, "error", err)
		return j
	}
	j.run, j.key = run, j.meta.Key
	if j.key == "" {
		j.key = string(record.Key)
	}
	if j.key == "" {
		j.key = run.RunID // no key, no order to keep
	}
	return j
}

func decode(value []byte) (schemas.Run, error) {
	run, err := schemas.DecodeRun(value)
	if err != nil {
		return run, err
	}
	if run.RunID == "" || run.Workflow == "" || len(run.Request) == 0 {
		return run, errors.New("run_id, workflow or request is missing")
	}
	return run, nil
}
