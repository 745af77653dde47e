// Package dispatcher reads the runs topic and starts each run at its environment's workflow API, over HTTP, until the
// API has taken it, refused it, or the run is too old. Runs with the same record key start one after the other, all
// others at once; an offset is committed when every run up to it is decided and Kafka has the records that say so.
// A crash therefore skips no run; it sends those again that were under way, with the same bytes and the same idempotency
// key. A run that was delivered is not sent again, whoever reads it.
//
//	runs, runs.retry -> group (partitions, commits) -> lane (order per key) -> courier (attempts) -> deliveries, runs.dead
//	                                                                              \-> runs.retry, for what has to wait
package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// role names the role in the log.
const role = "dispatcher"

// Dispatcher starts runs. One process needs one; more of them share the partitions of the runs topic.
type Dispatcher struct {
	config       Config
	networks     networks
	kafka        kafka.Config
	destinations Destinations
	logger       *slog.Logger
	gates        *gates
	metrics      *metrics

	mu     sync.Mutex // guards the field below
	groups []*group   // while they serve
}

// New returns a dispatcher that has not connected to anything yet. It fails on settings that cannot work.
func New(config Config, cluster kafka.Config, destinations Destinations, logger *slog.Logger) (*Dispatcher, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	allowed, err := parseNetworks(config.AllowNetworks)
	if err != nil {
		return nil, err
	}
	d := &Dispatcher{config: config, networks: allowed, kafka: cluster, destinations: destinations, logger: logger.With("role", role)}
	d.gates = newGates(config, d.logger)
	d.metrics = newMetrics(d)
	return d, nil
}

// Run dispatches until ctx ends, then starts no new call, waits up to DrainTimeout for those in flight, commits and
// leaves the group; that is a nil error. It returns an error when a partition's offset is out of range (some runs may
// be lost: a person must look) and when Kafka refuses a delivery record, since nothing may be committed without it. While
// its files, or Kafka, cannot be written to it dispatches nothing, and begins anew with growing pauses.
func (d *Dispatcher) Run(ctx context.Context) error {
	pause := backoff.NewExponentialBackOff()
	for {
		began := time.Now()
		err := d.runOnce(ctx)
		if ctx.Err() != nil || !isTransient(err) {
			return err
		}
		if time.Since(began) > time.Minute {
			pause.Reset()
		}
		if !d.waitAfter(ctx, pause.NextBackOff(), err) {
			return nil
		}
	}
}

// runOnce is Run until something fails.
func (d *Dispatcher) runOnce(ctx context.Context) error {
	known, err := d.openDelivered(ctx)
	if err != nil {
		return err
	}
	if known == nil {
		return nil // ctx has ended
	}
	// The index is followed until the last call has ended.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var follower errgroup.Group
	follower.Go(func() error {
		err := known.follow(following)
		if err != nil {
			fail(err)
		}
		return err
	})
	err = d.dispatch(ctx, running, known, fail)
	stop()
	_ = follower.Wait() // fail has told it
	return errors.Join(err, known.close())
}

// openDelivered opens the index of delivered runs, however often it takes. It returns nil when ctx ends before.
func (d *Dispatcher) openDelivered(ctx context.Context) (*delivered, error) {
	pause := backoff.NewExponentialBackOff()
	for {
		known, err := openDelivered(ctx, d.config, d.kafka, d.logger)
		if err == nil {
			return known, nil
		}
		if ctx.Err() != nil {
			return nil, nil //nolint:nilerr // the role was stopped before it began, which is no failure
		}
		wait := pause.NextBackOff()
		d.logger.Error("no run is dispatched yet", "again_in", wait.Round(time.Millisecond), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// dispatch is Run with everything open. running ends with ctx, or when the role cannot go on.
func (d *Dispatcher) dispatch(ctx, running context.Context, known *delivered, fail context.CancelCauseFunc) error {
	name, err := instance(d.config.deliveredDir())
	if err != nil {
		return &transientError{err}
	}
	calls := newCaller(d.config, d.networks)
	defer calls.close()
	team := d.newCourier(calls, known, fail)
	var members errgroup.Group
	for _, traffic := range d.traffic() {
		members.Go(func() error {
			return d.serve(ctx, running, d.newGroup(running, traffic, name, known), *team)
		})
	}
	return members.Wait()
}

// serve is dispatch for one kind of traffic.
func (d *Dispatcher) serve(ctx, running context.Context, group *group, member courier) error {
	client, err := kgo.NewClient(d.options(group)...)
	if err != nil {
		err = fmt.Errorf("connecting the dispatcher to Kafka: %w", err)
		member.records.fail(err)
		return err
	}
	member.records.client = client
	group.courier = &member
	d.enlist(group)
	defer d.dismiss(group)
	stopMeasuring := d.measureLag(running, client, group)
	err = loop(running, client, group)
	stopMeasuring()
	member.records.fail(err) // whatever has made it end: nobody goes on
	if ctx.Err() != nil {
		err = nil
	}
	d.stop(context.WithoutCancel(ctx), client, group)
	return err
}

func (d *Dispatcher) newGroup(ctx context.Context, of traffic, instance string, known *delivered) *group {
	config := d.config
	config.MaxOutstanding = max(1, config.MaxOutstanding/of.divisor)
	config.MaxOutstandingBytes = max(1, config.MaxOutstandingBytes/int64(of.divisor))
	return &group{
		ctx:        ctx,
		config:     config,
		name:       d.kafka.Group(of.group),
		instance:   instance,
		topics:     of.topics,
		runs:       d.kafka.Topic(schemas.RunsTopic),
		logger:     d.logger,
		crowd:      newCrowd(config.MaxOutstanding, of.isPatient),
		delivered:  known,
		room:       make(chan struct{}, 1),
		partitions: map[topicPartition]*partition{},
	}
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
	d.logger.Debug("stopping; no new call starts", "group", group.name)
	group.giveUpAll(ctx, client)
	leaving, cancel := context.WithTimeout(ctx, partingTimeout)
	defer cancel()
	if err := group.leave(leaving, client); err != nil {
		d.logger.Warn("leaving the consumer group failed; its partitions wait until the session times out", "error", err)
	}
	client.CloseAllowingRebalance()
	group.wait()
}

// newCourier returns a courier that lacks the client for its records. Copies of it share their gates.
func (d *Dispatcher) newCourier(calls *caller, known *delivered, fail context.CancelCauseFunc) *courier {
	return &courier{
		config:       d.config,
		destinations: d.destinations,
		logger:       d.logger,
		starters:     map[Kind]starter{HTTP: calls, KafkaOnly: nobody{}},
		gates:        d.gates,
		metrics:      d.metrics,
		delivered:    known,
		complaints:   newComplaints(),
		records: recorder{
			delivered:  known,
			deliveries: d.kafka.Topic(schemas.DeliveriesTopic),
			dead:       d.kafka.Topic(schemas.DeadRunsTopic),
			topic:      d.kafka.Topic,
			fail:       fail,
		},
	}
}

func (d *Dispatcher) options(group *group) []kgo.Opt {
	return append(d.kafka.Options(),
		telemetry.KafkaLogger(d.logger),
		kgo.ConsumerGroup(group.name),
		kgo.InstanceID(group.instance),
		kgo.ConsumeTopics(group.topics...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		// A silent reset would start thousands of old runs again, or skip some.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		// A partition that is read again waits for the fetch that is under way without it.
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		// A third, as Kafka advises: two heartbeats may get lost.
		kgo.SessionTimeout(d.config.SessionTime),
		kgo.HeartbeatInterval(min(d.config.SessionTime/3, 3*time.Second)),
		kgo.OnPartitionsAssigned(group.assigned),
		kgo.OnPartitionsRevoked(group.revoked),
		kgo.OnPartitionsLost(group.lost),
		kgo.ProducerLinger(2*time.Millisecond),
		// A dead letter is a run and some KiB more, and a run may fill a batch of the default size (1,000,012 bytes).
		// Brokers take 1,048,588 by default.
		kgo.ProducerBatchMaxBytes(1<<20),
	)
}

// fetchBytes bounds what one broker's fetch returns, and so what is buffered while polling pauses.
const fetchBytes = 8 << 20
