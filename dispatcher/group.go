package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	logger     *slog.Logger
	deliver    func(*job) bool // set before the first poll
	room       chan struct{}   // holds a token when a run was finished
	lastCommit time.Time
	drains     sync.WaitGroup // partitions given up whose work has not ended

	// mu guards the fields below. It is held during a commit, so that a partition is not handed over in the middle of
	// one: the broker would take the late commit and rewind the next owner.
	mu         sync.Mutex
	partitions map[topicPartition]*partition
	paused     map[topicPartition]bool // partitions whose gap is too wide
}

func newGroup(ctx context.Context, config Config, logger *slog.Logger) *group {
	return &group{
		ctx:        ctx,
		config:     config,
		logger:     logger,
		room:       make(chan struct{}, 1),
		partitions: map[topicPartition]*partition{},
		paused:     map[topicPartition]bool{},
	}
}

// poll reads runs into their lanes, for CommitInterval at most. While the bounds on outstanding runs are reached it
// reads nothing and waits for one to finish; Kafka keeps the rest.
func (g *group) poll(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, g.config.CommitInterval)
	defer cancel()
	room := g.measure(client)
	if room <= 0 {
		select {
		case <-g.room:
		case <-ctx.Done():
		}
		return nil
	}
	defer client.AllowRebalance() // only now: a partition must not leave between its fetch and its lanes
	fetches := client.PollRecords(ctx, room)
	for _, failed := range fetches.Errors() {
		if err := g.explain(failed); err != nil {
			return err
		}
	}
	fetches.EachPartition(g.take)
	return nil
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
	case errors.As(failed.Err, &session), kerr.IsRetriable(failed.Err):
		g.logger.Warn("reading runs failed; trying again", "topic", failed.Topic, "partition", failed.Partition, "error", failed.Err)
		return nil
	}
	return fmt.Errorf("reading %s partition %d: %w", failed.Topic, failed.Partition, failed.Err)
}

func (g *group) take(fetched kgo.FetchTopicPartition) {
	g.mu.Lock()
	p := g.partitions[topicPartition{fetched.Topic, fetched.Partition}]
	g.mu.Unlock()
	if p == nil {
		return
	}
	for _, record := range fetched.Records {
		g.add(p, record)
	}
}

// add puts one record into its lane. A record that is no run cannot become one by waiting, so it is passed over.
func (g *group) add(p *partition, record *kgo.Record) {
	run, err := decode(record.Value)
	if err != nil {
		g.logger.Error("a record is not a run and is passed over", "topic", record.Topic, "partition", record.Partition,
			"offset", record.Offset, "error", err)
		p.skip(record.Offset, record.LeaderEpoch)
		return
	}
	key := string(record.Key)
	if key == "" {
		key = run.RunID // no key, no order to keep
	}
	p.add(key, &job{partition: p, run: run, offset: record.Offset, bytes: int64(len(record.Value))}, record.LeaderEpoch, g.deliver)
}

func decode(value []byte) (schemas.Run, error) {
	run, err := schemas.Decode[schemas.Run](value)
	if err != nil {
		return run, err
	}
	if run.RunID == "" || run.Workflow == "" || len(run.Request) == 0 {
		return run, errors.New("run_id, workflow or request is missing")
	}
	return run, nil
}
