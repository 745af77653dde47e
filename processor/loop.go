package processor

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

// maxBatchBytes ends a batch that has written so much, lest large runs fill the memory and the transaction.
const maxBatchBytes = 64 << 20

// runSession polls, decides and commits, batch after batch, until ctx ends or something fails.
func (p *Processor) runSession(ctx context.Context) error {
	// The catalog must be complete before the first event: without its triggers, events would be decided wrongly.
	if err := p.awaitCatalog(ctx); err != nil {
		return err
	}
	session, err := p.newSession(ctx)
	if err != nil {
		return err
	}
	defer p.memory.close()
	defer session.close()
	defer p.measureLag(ctx, session.kafka())()
	pause := backoff.NewExponentialBackOff()
	var ended time.Time // when the last batch did
	for {
		fetches := session.poll(ctx, min(p.config.BatchRecords, p.pace.records()))
		if ctx.Err() != nil {
			return nil
		}
		if err := p.inspect(session, fetches); err != nil {
			return err
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		// What has been read is finished even when ctx ends meanwhile.
		committed, err := p.runBatch(context.WithoutCancel(ctx), session, fetches, ended.Add(p.config.BatchInterval))
		if err != nil {
			return err
		}
		ended = time.Now()
		if committed {
			pause.Reset()
			continue
		}
		// Kafka gives the same events again. A fault that lasts must not turn into a busy loop.
		session.release()
		if !waited(ctx, pause.NextBackOff()) {
			return nil
		}
	}
}

// inspect looks at what a poll brought besides records: partitions that cannot be read any more are stopped, and an
// error that concerns more than one partition ends the session.
func (p *Processor) inspect(session session, fetches kgo.Fetches) error {
	if err := p.stopped.checkTopic(fetches); err != nil {
		return err
	}
	for _, failed := range fetches.Errors() {
		if failed.Topic == p.events && failed.Partition >= 0 && isFinal(failed.Err) {
			p.stopped.stop(failed.Partition, failed.Err)
			session.pause(p.stopped.partitions())
			continue
		}
		if isPassing(failed.Err) {
			p.logger.Warn("reading events fails, trying again", "partition", failed.Partition, "error", failed.Err)
			continue
		}
		return fmt.Errorf("reading partition %d of %s: %w", failed.Partition, failed.Topic, failed.Err)
	}
	return nil
}

// runBatch decides on what was polled, and on what arrives meanwhile, and commits it as one. From due on it ends as soon as
// nothing more has arrived, so that an event that comes alone waits for nobody, and few commits serve many events: one costs
// the brokers the same for an event as for a thousand.
func (p *Processor) runBatch(ctx context.Context, session session, fetches kgo.Fetches, due time.Time) (bool, error) {
	if err := session.begin(ctx); err != nil {
		return false, fmt.Errorf("beginning a batch: %w", err)
	}
	batch, err := newBatch(p, func(output *kgo.Record) { session.produce(ctx, output) })
	if err != nil {
		return false, err
	}
	began := p.now()
	deadline := began.Add(p.config.BatchTime)
	events := 0
	for fetches.NumRecords() > 0 {
		events += fetches.NumRecords()
		started := p.now()
		err := batch.addAll(ctx, fetches)
		p.pace.note(fetches.NumRecords(), p.now().Sub(started))
		if err != nil {
			return false, err
		}
		if events >= p.config.BatchRecords || batch.bytes >= maxBatchBytes || !p.now().Before(deadline) {
			break
		}
		session.pause(p.stopped.partitions())
		fetches = session.pollArrived(ctx, due, min(p.config.BatchRecords-events, p.pace.records()))
		if err := p.inspect(session, fetches); err != nil {
			return false, err
		}
	}
	session.pause(p.stopped.partitions())
	committed, err := p.commit(ctx, session, batch, events)
	p.metrics.seconds.Observe(p.now().Sub(began).Seconds())
	return committed, err
}

func (p *Processor) commit(ctx context.Context, session session, batch *batch, events int) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.CommitTimeout)
	defer cancel()
	committed, err := session.end(ctx)
	if err != nil {
		p.metrics.unclear.Inc()
		return false, fmt.Errorf("committing a batch of %d events: %w", events, err)
	}
	if !committed {
		p.metrics.rolledBack.Inc()
		p.logger.Warn("a batch was rolled back, its events come again", "events", events, "error", session.failure())
		return false, nil
	}
	p.memory.settle(batch.next)
	p.metrics.committedAll(batch.tally)
	return true, nil
}
