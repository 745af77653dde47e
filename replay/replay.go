// Package replay lets events of the past go through triggers once more. It follows the catalog for replays, reads the
// events of their time from the topic and, where the topic no longer has them, from ClickHouse, asks the triggers through
// the same rules as the processor, and writes decisions and runs to a lane of their own. A replay is a consumer group:
// its processes share the partitions, and what is committed says how far it is and what it has done.
package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cenkalti/backoff/v5"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Replay is the role. One process runs one.
type Replay struct {
	config  Config
	kafka   kafka.Config
	catalog *catalog.Reader
	writer  *catalog.Writer
	log     *query.Log
	logger  *slog.Logger
	metrics *metrics
}

// New returns the role on a catalog that is being read, with a writer on top of it.
func New(config Config, cluster kafka.Config, reader *catalog.Reader, writer *catalog.Writer, log *query.Log, logger *slog.Logger) (*Replay, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Replay{config: config, kafka: cluster, catalog: reader, writer: writer, log: log, logger: logger, metrics: newMetrics()}, nil
}

// Run works on replays until ctx ends: on the oldest ones that are running, as many as Config.Concurrent says. What is
// being written then is finished.
func (r *Replay) Run(ctx context.Context) error {
	if _, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, r.catalog.Ready(ctx) }, backoff.WithMaxElapsedTime(0)); err != nil {
		return nil // only ctx ends this
	}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running := map[string]context.CancelFunc{}
	ended := make(chan string)
	for {
		changed := r.catalog.Changed()
		due := r.due(r.catalog.Snapshot())
		for id, stop := range running {
			if _, isDue := due[id]; !isDue {
				stop()
			}
		}
		for id, replay := range due {
			if running[id] == nil {
				running[id] = r.start(ctx, replay, &tasks, ended)
			}
		}
		select {
		case <-changed:
		case id := <-ended:
			running[id]()
			delete(running, id)
		case <-ctx.Done():
			return nil
		}
	}
}

// due returns what there is to do, by ID: the oldest replays that are running, and those that have ended without a result.
func (r *Replay) due(snapshot *catalog.Snapshot) map[string]schemas.Replay {
	due := map[string]schemas.Replay{}
	working, settling := 0, 0
	for _, replay := range snapshot.Replays() {
		switch {
		case snapshot.IsForeignReplay(replay.ID): // what is known of it is out of date
			continue
		case replay.State == schemas.ReplayRunning && working < r.config.Concurrent:
			working++
		case replay.State.IsFinal() && replay.Result == nil && settling < r.config.Concurrent:
			settling++
		default:
			continue
		}
		due[replay.ID] = replay
	}
	return due
}

// start works on a replay, and then tidies up after it if it has ended.
func (r *Replay) start(ctx context.Context, replay schemas.Replay, tasks *sync.WaitGroup, ended chan<- string) context.CancelFunc {
	working, stop := context.WithCancel(ctx)
	tasks.Go(func() {
		if !replay.State.IsFinal() {
			r.work(working, replay)
		}
		if err := r.settle(ctx, replay.ID); err != nil && ctx.Err() == nil {
			r.logger.Warn("tidying up after a replay", "replay", replay.ID, "error", err)
		}
		select {
		case ended <- replay.ID:
		case <-ctx.Done():
		}
	})
	return stop
}

// change changes the catalog. Somebody else may have changed the replay before, which is as good.
func (r *Replay) change(ctx context.Context, what, id string, change func(*catalog.Tx) error) error {
	err := r.writer.Change(ctx, change)
	var conflict *catalog.InUseError
	var foreign *catalog.ForeignError
	if err == nil || errors.As(err, &conflict) && !errors.As(err, &foreign) || errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("%s replay %s: %w", what, id, err)
}
