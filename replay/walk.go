package replay

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
)

// walk goes along the partitions of a replay: it reads them, and asks the triggers about what they hold. It does nothing
// with the answers.
type walk struct {
	*reader
	evaluators chan *evaluator // those that are idle
	behind     time.Time       // since when nothing but the event log has been waited for; zero if it is not
}

func newWalk(cluster kafka.Config, log *query.Log, s *spec, parallel int, watch func() watcher, logger *slog.Logger) (*walk, error) {
	r, err := newReader(cluster, log, s, logger)
	if err != nil {
		return nil, err
	}
	w := &walk{reader: r, evaluators: make(chan *evaluator, parallel)}
	for range cap(w.evaluators) {
		w.evaluators <- newEvaluator(s, log, r.topic, watch())
	}
	return w, nil
}

// step reads some more and evaluates some of each partition, with about so many runs at most.
func (w *walk) step(ctx context.Context, maxRuns int) ([]*chunk, error) {
	if err := w.read(ctx); err != nil {
		return nil, err
	}
	var moved []*partition
	for _, p := range w.partitions {
		if len(p.pending) > 0 || p.position < p.next {
			moved = append(moved, p)
		}
	}
	count := max(1, len(moved))
	limit := limits{runs: max(1, maxRuns/count), bytes: max(minChunkBytes, maxChunkBytes/count)}
	chunks := make([]*chunk, len(moved))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(w.evaluators))
	for i, p := range moved {
		group.Go(func() (err error) {
			evaluator := <-w.evaluators
			defer func() { w.evaluators <- evaluator }()
			chunks[i], err = evaluator.evaluate(ctx, p, limit)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return chunks, nil
}

// isDone reports whether there is nothing left to do on any partition.
func (w *walk) isDone() bool {
	for _, p := range w.partitions {
		if !p.isDone() {
			return false
		}
	}
	return true
}

// logPause is how long the event log is left alone after it did not know what was decided on the next events.
const logPause = 100 * time.Millisecond

// behindError says that the event log does not know what was decided on an event.
type behindError struct {
	event  event
	number int32
	waited time.Duration
}

func (e *behindError) Error() string {
	return fmt.Sprintf("for %s the event log has not said what was decided on event %s, at offset %d of partition %d of the events: "+
		"see whether the processor and the event log are running, and resume the replay; or make one for events of any status, which does not ask",
		e.waited, e.event.EventID, e.event.offset, e.number)
}

// await fails when nothing has gone on for longer than patience because the event log is behind, and waits a little where
// that is so for now.
func (w *walk) await(ctx context.Context, chunks []*chunk, patience time.Duration) error {
	var waiting *chunk
	for _, c := range chunks {
		if c.events > 0 || !c.isBehind {
			w.behind = time.Time{}
			return nil
		}
		waiting = c
	}
	if waiting == nil {
		return nil
	}
	if w.behind.IsZero() {
		w.behind = time.Now()
	}
	if time.Since(w.behind) > patience {
		return &behindError{waiting.partition.pending[0], waiting.partition.number, patience}
	}
	return sleep(ctx, logPause)
}

// sleep waits, for ctx's end at most.
func sleep(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
