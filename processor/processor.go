// Package processor reads events and writes decisions and runs. It takes a batch of events, drops repeats, asks each
// trigger that is bound to the event, and commits what it wrote together with the offsets it read, by transaction or,
// at least once, in that order. A decision depends on the input log and the catalog alone, so deciding twice does no
// harm: consumers collapse decisions by event ID and runs by run ID.
package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
)

// Processor is the role. One process runs one.
type Processor struct {
	config  Config
	kafka   kafka.Config
	catalog *catalog.Reader
	logger  *slog.Logger
	now     func() time.Time

	memory   *memory
	triggers *compiledTriggers
}

// New returns a processor that takes its triggers from reader, which must be running.
func New(config Config, cluster kafka.Config, reader *catalog.Reader, logger *slog.Logger) (*Processor, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Processor{
		config: config, kafka: cluster, catalog: reader, logger: logger, now: time.Now,
		memory:   newMemory(cluster, logger),
		triggers: &compiledTriggers{},
	}, nil
}

// Run processes events until ctx ends; the batch in hand is finished. A session that fails is replaced by a new one,
// with growing pauses, because every failure of a commit leaves open what Kafka has: only a new session knows.
func (p *Processor) Run(ctx context.Context) error {
	if err := p.catalog.Ready(ctx); err != nil {
		return ignoreEnd(ctx, fmt.Errorf("starting the processor: %w", err))
	}
	pause := backoff.NewExponentialBackOff()
	for {
		started := p.now()
		err := p.runSession(ctx)
		if ctx.Err() != nil {
			return ignoreEnd(ctx, err)
		}
		if p.now().Sub(started) > time.Minute {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		p.logger.Error("processing stopped, starting anew", "in", wait.Round(time.Millisecond), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// ignoreEnd drops an error that only says that ctx ended.
func ignoreEnd(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)) {
		return nil
	}
	return err
}

// runSession polls, decides and commits, batch after batch, until ctx ends or something fails.
func (p *Processor) runSession(ctx context.Context) error {
	session, err := p.newSession(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	for {
		fetches := session.poll(ctx, p.config.BatchRecords)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetchError(fetches); err != nil {
			return err
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		// What has been read is finished even when ctx ends meanwhile.
		if err := p.runBatch(context.WithoutCancel(ctx), session, fetches); err != nil {
			return err
		}
	}
}

// fetchError reports what stops the processor: with NoResetOffset an offset out of range is an error here, and
// starting anew will show it again until somebody decides what to do.
func fetchError(fetches kgo.Fetches) error {
	for _, failed := range fetches.Errors() {
		return fmt.Errorf("reading partition %d of %s: %w", failed.Partition, failed.Topic, failed.Err)
	}
	return nil
}

// runBatch decides on a batch and commits it.
func (p *Processor) runBatch(ctx context.Context, session session, fetches kgo.Fetches) error {
	if err := session.begin(); err != nil {
		return fmt.Errorf("beginning a batch: %w", err)
	}
	batch := newBatch(p)
	var failed error
	fetches.EachRecord(func(record *kgo.Record) {
		if failed == nil {
			failed = batch.add(ctx, record)
		}
	})
	if failed != nil {
		return failed
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.CommitTimeout)
	defer cancel()
	for _, output := range batch.outputs {
		session.produce(ctx, output)
	}
	committed, err := session.end(ctx)
	if err != nil {
		return fmt.Errorf("committing a batch of %d events: %w", fetches.NumRecords(), err)
	}
	if committed {
		p.memory.settle(batch.next)
	}
	return nil
}
