package dispatcher

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partingTimeout bounds each of the two calls to Kafka that follow a drain: the last commit, and leaving the group.
// Both take milliseconds unless Kafka is gone.
const partingTimeout = 900 * time.Millisecond

func (g *group) assigned(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, name := range names(assigned) {
		g.partitions[name] = newPartition(g.ctx, name, g.room)
	}
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
		g.logger.Warn("the last commit failed; runs since the one before will be sent again", "error", err)
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
		if g.paused[name] {
			g.resume(client, name) // the client would remember it if the partition came back
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
		defer p.abort()
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
