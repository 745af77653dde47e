// Package dispatcher reads the runs topic and starts each run at its environment's workflow API, over HTTP, until the
// API has taken it, refused it, or the run is too old. Runs with the same record key start one after the other, all
// others at once; an offset is committed when every run up to it is decided and Kafka has the records that say so.
// A crash therefore sends some runs again, never skips one, and what is sent again has the same bytes and the same
// idempotency key.
//
//	runs -> group (partitions, commits) -> lane (order per key) -> courier (attempts) -> deliveries, runs.dead
package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// role names the consumer group.
const role = "dispatcher"

// Destinations knows where the runs of an environment are started.
type Destinations interface {
	// Destination returns the workflow API of an environment, and false when the environment is unknown. It is asked
	// before each attempt and by many goroutines at once, so it must answer from memory.
	Destination(environment string) (Destination, bool)
}

// Destination is one environment's workflow API.
type Destination struct {
	BaseURL string // such as https://api.knock.app; "" when none is set
	APIKey  string // sent as a bearer token; "" when the API wants none
}

// Dispatcher starts runs. One process needs one; more of them share the partitions of the runs topic.
type Dispatcher struct {
	config       Config
	kafka        kafka.Config
	destinations Destinations
	logger       *slog.Logger
}

// New returns a dispatcher that has not connected to anything yet. It fails on settings that cannot work.
func New(config Config, cluster kafka.Config, destinations Destinations, logger *slog.Logger) (*Dispatcher, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Dispatcher{config, cluster, destinations, logger.With("role", role)}, nil
}

// Run dispatches until ctx ends, then starts no new call, waits up to DrainTimeout for those in flight, commits and
// leaves the group; that is a nil error. It returns an error when a partition's offset is out of range (some runs may
// be lost: a person must look) and when Kafka refuses a delivery record, since nothing may be committed without it.
func (d *Dispatcher) Run(ctx context.Context) error {
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	group := newGroup(running, d.config, d.logger)
	client, err := kgo.NewClient(d.options(group)...)
	if err != nil {
		return fmt.Errorf("connecting the dispatcher to Kafka: %w", err)
	}
	calls := newCaller(d.config)
	group.deliver = d.courier(client, calls, fail).deliver
	err = loop(running, client, group)
	if ctx.Err() != nil {
		err = nil
	}
	d.stop(context.WithoutCancel(ctx), client, group)
	calls.close()
	return err
}

func loop(ctx context.Context, client *kgo.Client, group *group) error {
	for ctx.Err() == nil {
		if err := group.poll(ctx, client); err != nil {
			return err
		}
		group.commitWhenDue(ctx, client)
	}
	return context.Cause(ctx)
}

// stop reverses the start: calls, then their records, then the offsets, then the membership.
func (d *Dispatcher) stop(ctx context.Context, client *kgo.Client, group *group) {
	d.logger.Debug("stopping; no new call starts")
	group.giveUpAll(ctx, client)
	leaving, cancel := context.WithTimeout(ctx, partingTimeout)
	defer cancel()
	if err := client.LeaveGroupContext(leaving); err != nil {
		d.logger.Warn("leaving the consumer group failed; its partitions wait until the session times out", "error", err)
	}
	client.CloseAllowingRebalance()
	group.wait()
}

func (d *Dispatcher) courier(client *kgo.Client, calls *caller, fail context.CancelCauseFunc) *courier {
	return &courier{
		config:       d.config,
		destinations: d.destinations,
		logger:       d.logger,
		calls:        calls,
		slots:        make(chan struct{}, d.config.Concurrency),
		complaints:   newComplaints(),
		records: recorder{
			client:     client,
			deliveries: d.kafka.Topic(schemas.DeliveriesTopic),
			dead:       d.kafka.Topic(schemas.DeadRunsTopic),
			fail:       fail,
		},
	}
}

func (d *Dispatcher) options(group *group) []kgo.Opt {
	return append(d.kafka.Options(),
		telemetry.KafkaLogger(d.logger),
		kgo.ConsumerGroup(d.kafka.Group(role)),
		kgo.ConsumeTopics(d.kafka.Topic(schemas.RunsTopic)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		// A silent reset would start thousands of old runs again, or skip some.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		// A process that was killed gives its partitions up this much later; until then its runs wait.
		kgo.SessionTimeout(15*time.Second),
		kgo.OnPartitionsAssigned(group.assigned),
		kgo.OnPartitionsRevoked(group.revoked),
		kgo.OnPartitionsLost(group.lost),
		kgo.ProducerLinger(2*time.Millisecond),
		// A dead letter is a run and a few KiB more, and a run may fill a batch of the default size (1,000,012 bytes).
		// Brokers take 1,048,588 by default.
		kgo.ProducerBatchMaxBytes(1<<20),
	)
}

// fetchBytes bounds what one broker's fetch returns, and so what is buffered while polling pauses.
const fetchBytes = 8 << 20
