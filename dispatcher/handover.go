package dispatcher

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// partingTimeout bounds each of the two calls to Kafka that follow a drain: the last commit, and leaving the group.
// Both take milliseconds unless Kafka is gone.
const partingTimeout = 900 * time.Millisecond

// assigned takes partitions over. They stay paused until it is known what was delivered before.
func (g *group) assigned(_ context.Context, client *kgo.Client, assigned map[string][]int32) {
	client.PauseFetchPartitions(assigned)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hasJoined = true
	var fresh []*partition
	for _, name := range names(assigned) {
		p := newPartition(g.ctx, name, g.room)
		p.isPaused = true
		g.partitions[name] = p
		fresh = append(fresh, p)
	}
	if len(fresh) > 0 {
		g.drains.Go(func() { g.prepare(client, fresh) })
	}
}

// prepare finds out which runs of partitions were finished before, however often it takes.
func (g *group) prepare(client *kgo.Client, partitions []*partition) {
	pause := backoff.NewExponentialBackOff()
	for g.ctx.Err() == nil {
		err := g.learn(g.ctx, client, partitions)
		if err == nil {
			return
		}
		if g.ctx.Err() != nil {
			return
		}
		wait := pause.NextBackOff()
		g.logger.Warn("it is not known yet which runs were delivered before; their partitions wait", "again_in", wait.Round(time.Millisecond), "error", err)
		select {
		case <-time.After(wait):
		case <-g.ctx.Done():
		}
	}
}

// learn asks for the last commits, and waits until the index of delivered runs has everything that was written up to
// now: whoever had the partitions before has written it before he gave them up.
func (g *group) learn(ctx context.Context, client *kgo.Client, partitions []*partition) error {
	var topics []string
	for _, p := range partitions {
		if !slices.Contains(topics, p.topic) {
			topics = append(topics, p.topic)
		}
	}
	committed, err := kadm.NewClient(client).FetchOffsetsForTopics(ctx, g.name, topics...)
	if err != nil {
		return fmt.Errorf("asking for the group's offsets: %w", err)
	}
	if err := g.delivered.catchUp(ctx); err != nil {
		return err
	}
	for _, p := range partitions {
		at, _ := committed.Lookup(p.topic, p.id)
		if at.Err != nil {
			return fmt.Errorf("asking for the group's offset of %s partition %d: %w", p.topic, p.id, at.Err)
		}
		done, err := decodeDoneMap(at.Metadata, at.At)
		if err != nil {
			g.logger.Warn("runs that were finished before are looked up one by one", "topic", p.topic, "partition", p.id, "error", err)
		}
		p.restore(done)
	}
	return nil
}

// revoked hands partitions over to another member, with everything committed that was finished.
func (g *group) revoked(ctx context.Context, client *kgo.Client, revoked map[string][]int32) {
	g.giveUp(ctx, client, g.remove(client, names(revoked)))
}

// lost drops partitions that another member may have by now, so nothing is committed for them.
func (g *group) lost(_ context.Context, client *kgo.Client, lost map[string][]int32) {
	g.drain(g.remove(client, names(lost)))
}

// giveUpAll is revoked for every partition there is.
func (g *group) giveUpAll(ctx context.Context, client *kgo.Client) {
	g.mu.Lock()
	all := slices.Collect(maps.Keys(g.partitions))
	g.mu.Unlock()
	g.giveUp(ctx, client, g.remove(client, all))
}

func (g *group) giveUp(ctx context.Context, client *kgo.Client, partitions []*partition) {
	g.drain(partitions)
	ctx, cancel := context.WithTimeout(ctx, partingTimeout)
	defer cancel()
	if err := commit(ctx, client, partitions); err != nil {
		g.logger.Warn("the last commit failed; runs since the one before will be looked up one by one", "error", err)
	}
}

// remove takes partitions out of the group. From then on nothing is added to them, and only the caller commits them.
func (g *group) remove(client *kgo.Client, gone []topicPartition) []*partition {
	g.mu.Lock()
	defer g.mu.Unlock()
	var removed []*partition
	for _, name := range gone {
		p, held := g.partitions[name]
		if !held {
			continue
		}
		removed = append(removed, p)
		delete(g.partitions, name)
		if p.isPaused {
			client.ResumeFetchPartitions(name.set()) // the client would remember it if the partition came back
		}
	}
	return removed
}

// drain starts no more calls for partitions and waits, up to DrainTimeout, until those in flight have ended and Kafka
// has their records. What has not ended then is cut off and counts as not tried.
func (g *group) drain(partitions []*partition) {
	idle := make(chan struct{})
	for _, p := range partitions {
		p.stop()
		defer p.forsake()
	}
	g.drains.Go(func() {
		for _, p := range partitions {
			p.work.Wait()
		}
		close(idle)
	})
	timer := time.NewTimer(g.config.DrainTimeout)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
		g.logger.Warn("calls in flight are cut off; their runs will be sent again", "after", g.config.DrainTimeout)
	}
}

// wait returns when everything that partitions ever started has ended. The client must be closed before.
func (g *group) wait() { g.drains.Wait() }

func names(partitions map[string][]int32) []topicPartition {
	var all []topicPartition
	for topic, ids := range partitions {
		for _, id := range ids {
			all = append(all, topicPartition{topic, id})
		}
	}
	return all
}
