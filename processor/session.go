package processor

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/telemetry"
)

// session is a membership in the consumer group together with a producer, committing batch by batch. poll must be
// followed by begin, any number of pollArrived and produce, and end, before it is called again; partitions do not move
// in between.
type session interface {
	poll(ctx context.Context, maxRecords int) kgo.Fetches
	// pollArrived returns what the client holds already, and waits for it until then at most.
	pollArrived(ctx context.Context, until time.Time, maxRecords int) kgo.Fetches
	// pause makes the client leave partitions alone.
	pause(partitions map[string][]int32)
	// release lets partitions move, where no poll will follow for a while.
	release()
	begin(ctx context.Context) error
	produce(ctx context.Context, record *kgo.Record)
	// end commits. Not committed without an error means that the batch was rolled back and comes again; with an error
	// the outcome is unknown and the session is of no more use.
	end(ctx context.Context) (committed bool, err error)
	// failure returns the first error of an output since begin, as far as there is one.
	failure() error
	close()
	kafka() *kgo.Client
}

func (p *Processor) newSession(ctx context.Context) (session, error) {
	client, err := p.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting the processor: %w", err)
	}
	if stopped := p.stopped.partitions(); stopped != nil {
		client.pause(stopped)
	}
	return client, nil
}

func (p *Processor) connect(ctx context.Context) (session, error) {
	options := p.sessionOptions()
	if p.config.Guarantee == ExactlyOnce {
		id := p.kafka.Group("processor") + "." + p.config.instance()
		return newTransactional(ctx, id, p.stopped, append(options, kgo.TransactionTimeout(p.config.transactionTimeout())))
	}
	return newAtLeastOnce(p.stopped, options)
}

// metadataMinAge is how soon the client asks again who leads a partition. Its own choice, 5 s, holds up every event of a
// partition for as long when its leader moves twice.
const metadataMinAge = 500 * time.Millisecond

func (p *Processor) sessionOptions() []kgo.Opt {
	options := p.kafka.Options()
	if p.config.SessionTime > 0 {
		// A third, as Kafka advises: two heartbeats may get lost.
		options = append(options, kgo.SessionTimeout(p.config.SessionTime), kgo.HeartbeatInterval(p.config.SessionTime/3))
	}
	return append(options,
		telemetry.KafkaLogger(p.logger),
		kgo.MetadataMinAge(metadataMinAge),
		kgo.ConsumerGroup(p.kafka.Group("processor")),
		kgo.ConsumeTopics(p.events),
		kgo.InstanceID(p.config.instance()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		// A lost position must stop the processor: starting over silently is the largest source of repeats.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.OnPartitionsAssigned(p.memory.assigned),
		kgo.OnPartitionsRevoked(p.memory.revoked),
		kgo.OnPartitionsLost(p.memory.revoked),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.RebalanceTimeout(p.config.transactionTimeout()), // as long as a batch can hold one up
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		// Deciding waits while so much is not acknowledged yet: it bounds the memory, whatever the triggers make of an event.
		kgo.MaxBufferedBytes(maxBatchBytes),
		kgo.MaxBufferedRecords(100_000),
		kgo.ProducerLinger(0), // end flushes at once; until then the records gather anyway
		kgo.RecordDeliveryTimeout(p.config.CommitTimeout),
	)
}
