package processor

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// session is a membership in the consumer group together with a producer, committing batch by batch. poll must be
// followed by begin, any number of produce and end, before it is called again; partitions do not move in between.
type session interface {
	poll(ctx context.Context, maxRecords int) kgo.Fetches
	begin() error
	produce(ctx context.Context, record *kgo.Record)
	// end commits. Not committed without an error means that the batch was rolled back and comes again; with an error
	// the outcome is unknown and the session is of no more use.
	end(ctx context.Context) (committed bool, err error)
	close()
}

func (p *Processor) newSession(ctx context.Context) (session, error) {
	options := p.sessionOptions()
	if p.config.Guarantee == ExactlyOnce {
		return newTransactional(ctx, options, p.kafka.Group("processor")+"."+p.instance())
	}
	return newAtLeastOnce(options)
}

func (p *Processor) instance() string {
	if p.config.Instance != "" {
		return p.config.Instance
	}
	host, err := os.Hostname()
	if err != nil {
		return "processor"
	}
	return host
}

func (p *Processor) sessionOptions() []kgo.Opt {
	return append(p.kafka.Options(),
		telemetry.KafkaLogger(p.logger),
		kgo.ConsumerGroup(p.kafka.Group("processor")),
		kgo.ConsumeTopics(p.kafka.Topic(schemas.EventsTopic)),
		kgo.InstanceID(p.instance()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		// A lost position must stop the processor: starting over silently is the largest source of repeats.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerLinger(0), // end flushes at once; until then the records gather anyway
		kgo.RecordDeliveryTimeout(p.config.CommitTimeout),
	)
}

// transactional commits outputs and offsets in one Kafka transaction.
type transactional struct{ session *kgo.GroupTransactSession }

func newTransactional(ctx context.Context, options []kgo.Opt, transactionalID string) (session, error) {
	s, err := kgo.NewGroupTransactSession(append(options, kgo.TransactionalID(transactionalID))...)
	if err != nil {
		return nil, fmt.Errorf("connecting the processor: %w", err)
	}
	// A predecessor that was killed may have left a transaction open. Its offsets can be read only once it has ended:
	// now, by asking for our producer ID, or else when the broker's patience ends, after 40 s of standing still.
	if _, _, err := s.Client().ProducerID(ctx); err != nil {
		s.CloseAllowingRebalance()
		return nil, fmt.Errorf("ending the transaction that a predecessor may have left: %w", err)
	}
	return transactional{s}, nil
}

func (t transactional) poll(ctx context.Context, maxRecords int) kgo.Fetches {
	t.session.AllowRebalance()
	return t.session.PollRecords(ctx, maxRecords)
}

func (t transactional) begin() error { return t.session.Begin() }

// produce needs no promise: a record that fails makes End abort.
func (t transactional) produce(ctx context.Context, record *kgo.Record) {
	t.session.Produce(ctx, record, nil)
}

func (t transactional) end(ctx context.Context) (bool, error) {
	return t.session.End(ctx, kgo.TryCommit)
}

func (t transactional) close() { t.session.CloseAllowingRebalance() }

// atLeastOnce commits offsets after all outputs are acknowledged.
type atLeastOnce struct {
	client *kgo.Client

	mu     sync.Mutex
	failed error // the first output that failed since begin
}

func newAtLeastOnce(options []kgo.Opt) (session, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("connecting the processor: %w", err)
	}
	return &atLeastOnce{client: client}, nil
}

func (a *atLeastOnce) poll(ctx context.Context, maxRecords int) kgo.Fetches {
	a.client.AllowRebalance()
	return a.client.PollRecords(ctx, maxRecords)
}

func (a *atLeastOnce) begin() error { return nil }

func (a *atLeastOnce) produce(ctx context.Context, record *kgo.Record) {
	a.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
		if err == nil {
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.failed == nil {
			a.failed = err
		}
	})
}

func (a *atLeastOnce) end(ctx context.Context) (bool, error) {
	if err := a.client.Flush(ctx); err != nil {
		return false, fmt.Errorf("waiting for outputs: %w", err)
	}
	a.mu.Lock()
	failed := a.failed
	a.mu.Unlock()
	if failed != nil {
		return false, fmt.Errorf("writing outputs: %w", failed)
	}
	if err := a.client.CommitUncommittedOffsets(ctx); err != nil {
		return false, fmt.Errorf("committing offsets: %w", err)
	}
	return true, nil
}

func (a *atLeastOnce) close() { a.client.CloseAllowingRebalance() }
