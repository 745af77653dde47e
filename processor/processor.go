// Package processor reads events and writes decisions and runs. It takes a batch of events, drops repeats, asks each
// trigger that is bound to the event, and commits what it wrote together with the offsets it read, by transaction or,
// at least once, in that order. A decision depends on the input log and the catalog alone, so deciding twice does no
// harm: consumers collapse decisions by event ID and runs by run ID.
package processor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Processor is the role. One process runs one.
type Processor struct {
	config  Config
	kafka   kafka.Config
	catalog *catalog.Reader
	logger  *slog.Logger
	now     func() time.Time

	events, decisions, runs string // the topics

	memory   *memory
	triggers *compiledTriggers
	deciders chan *decider // those that are idle
	pace     pace
	stopped  *stoppedPartitions
	windows  *windowWatch
	metrics  *metrics
}

// New returns a processor that takes its triggers from reader, which must be running.
func New(config Config, cluster kafka.Config, reader *catalog.Reader, logger *slog.Logger) (*Processor, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	events := cluster.Topic(schemas.EventsTopic)
	stopped := newStoppedPartitions(events, logger)
	p := &Processor{
		config: config, kafka: cluster, catalog: reader, logger: logger, now: time.Now,
		events: events, decisions: cluster.Topic(schemas.DecisionsTopic), runs: cluster.Topic(schemas.RunsTopic),
		memory:   newMemory(config, cluster, reader, stopped, logger),
		triggers: &compiledTriggers{logger: logger},
		stopped:  stopped,
		windows:  &windowWatch{kafka: cluster, catalog: reader, logger: logger},
	}
	p.deciders = newDeciders(p)
	p.metrics = newMetrics(p)
	return p, nil
}

// Stopped returns the partitions that this process no longer reads, each with the reason. They stay so until the
// process is started anew. It may be called from any goroutine.
func (p *Processor) Stopped() map[int32]string { return p.stopped.list() }

// Run processes events until ctx ends; the batch in hand is finished. A session that fails is replaced by a new one,
// with growing pauses, because every failure of a commit leaves open what Kafka has: only a new session knows.
func (p *Processor) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { p.windows.run(ctx) })
	pause := backoff.NewExponentialBackOff()
	for {
		started := p.now()
		err := p.runSession(ctx)
		if ctx.Err() != nil {
			if ignoreEnd(ctx, err) != nil {
				p.logger.Warn("processing ended with an error; the next start takes the events again that were not committed", "error", err)
			}
			return nil
		}
		if p.now().Sub(started) > time.Minute {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		p.logger.Error("processing stopped, starting anew", "in", wait.Round(time.Millisecond), "error", err)
		if !waited(ctx, wait) {
			return nil
		}
	}
}

// waited waits and reports whether ctx let it.
func waited(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ignoreEnd drops an error that only says that ctx ended.
func ignoreEnd(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)) {
		return nil
	}
	return err
}
