package replay

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// dryRunPatience is how long a dry run waits for the event log to say what was decided on an event: somebody looks on.
const dryRunPatience = 15 * time.Second

// dryRunID stands for a replay that is none: no run is its own.
const dryRunID = "rpl_dry_run"

// DryRun finds out what a replay would do, as catalog.Snapshot.CheckReplay has made it, and writes nothing anywhere. It
// calls tell, from one goroutine, with how far it is. It takes about as long as the replay; ctx ends it. It fails where a
// condition or a mapping cannot be compiled, and where the event log does not know what was decided on an event.
func DryRun(ctx context.Context, cluster kafka.Config, log *query.Log, replay schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
	replay.ID, replay.Result = dryRunID, nil
	s, err := compile(replay)
	if err != nil {
		return schemas.ReplayPreview{}, err
	}
	found := newFindings(s)
	parallel := max(1, runtime.GOMAXPROCS(0)/2) // it runs beside what somebody else asks for
	watch := func() watcher { return &comparison{spec: s, log: log, findings: found} }
	w, err := newWalk(cluster, log, s, parallel, watch, slog.New(slog.DiscardHandler))
	if err != nil {
		return schemas.ReplayPreview{}, err
	}
	defer w.close()
	if s.Partitions, err = plan(ctx, w.admin, log, w.topic, s); err != nil {
		return schemas.ReplayPreview{}, err
	}
	for _, span := range s.Partitions {
		w.add(newPartition(span, checkpoint{}))
	}
	for {
		chunks, err := w.step(ctx, math.MaxInt)
		if err != nil {
			return schemas.ReplayPreview{}, err
		}
		if err := w.await(ctx, chunks, dryRunPatience); err != nil {
			return schemas.ReplayPreview{}, err
		}
		for _, c := range chunks {
			c.partition.finish(c.events, c.counts)
		}
		tell(w.progress())
		if w.isDone() {
			return found.preview(w.progress()), nil
		}
	}
}

// progress tells how far the walk is that has all partitions.
func (w *walk) progress() schemas.ReplayProgress {
	done := map[int32]checkpoint{}
	for number, p := range w.partitions {
		done[number] = checkpoint{p.position, p.counts}
	}
	return sum(w.spec.Replay, done)
}
