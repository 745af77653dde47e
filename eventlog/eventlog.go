// Package eventlog is the role that remembers: it reads every topic of the pipeline and writes each record as one row
// of the ClickHouse table of that name. Rows are collected per table and inserted in blocks while the next are read; a
// Kafka offset is committed when its row is acknowledged, and whenever it is not certain what the table holds, the table
// is asked first, so that each record counts exactly once. What cannot be written goes to the table quarantine and stops
// nobody.
//
//	poll -> decode into the topic's lanes -> ask what is there -> insert what is missing -> commit
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
)

const (
	// flushTimeout bounds one insert with the questions before it. It is half of what the group allows for a rebalance,
	// because a rebalance waits for the inserts under way.
	flushTimeout = 30 * time.Second
	// commitTimeout bounds how long reading waits for a commit.
	commitTimeout = 5 * time.Second
	// finishTimeout bounds how long a process that is asked to stop still waits for an insert under way, and for what it
	// writes last; leaveTimeout bounds how it takes leave of the group, for which a rebalance under way has to end first.
	// Whoever goes without leave keeps the partitions until the session times out.
	finishTimeout = 2 * time.Second
	leaveTimeout  = 3 * time.Second
	// pollRecords and fetchBytes bound what one poll adds to the lanes, and so how far a lane exceeds Flush.
	pollRecords = 20_000
	fetchBytes  = 16 << 20
	// holdTime is how long reading stops altogether when a lane is full, before its partitions are paused: that costs
	// what has been fetched of them. Longer inserts are a sign of trouble, and others must not wait for those.
	holdTime = time.Second
)

// EventLog copies the topics into ClickHouse.
type EventLog struct {
	config  Config
	kafka   kafka.Config
	conn    driver.Conn
	log     *slog.Logger
	metrics metrics

	interrupt atomic.Pointer[context.CancelFunc] // ends what the loop waits for

	mu    sync.Mutex // guards lanes: the loop and the rebalance callbacks use them in turn
	lanes map[string][]*lane

	hasJoined atomic.Bool // whether the group has assigned anything, be it nothing
}

// New returns an event log that writes through conn and adds its metrics to registry. It does not take ownership of conn.
// It fails on settings that cannot work, and where the registry has an event log already.
func New(config Config, kafkaConfig kafka.Config, conn driver.Conn, registry prometheus.Registerer, log *slog.Logger) (*EventLog, error) {
	if err := errors.Join(config.Validate(), kafkaConfig.Validate()); err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	metrics, err := newMetrics(registry)
	if err != nil {
		return nil, fmt.Errorf("event log: registering its metrics: %w", err)
	}
	l := &EventLog{config: config, kafka: kafkaConfig, conn: conn, log: log, metrics: metrics}
	l.lanes = l.empty()
	return l, nil
}

// empty returns the lanes of every topic: as many as inserts into its table may run at once.
func (l *EventLog) empty() map[string][]*lane {
	lanes := make(map[string][]*lane)
	for range l.config.Flush.Inserts {
		for _, table := range tables() { // of each lane's own: they decode side by side
			topic := l.kafka.Topic(table.topic)
			lanes[topic] = append(lanes[topic], newLane(topic, table))
		}
	}
	return lanes
}

// lane returns the lane of a partition.
func (l *EventLog) lane(topic string, partition int32) *lane {
	lanes := l.lanes[topic]
	return lanes[int(partition)%len(lanes)]
}

// each visits every lane.
func (l *EventLog) each(visit func(*lane)) {
	for _, lanes := range l.lanes {
		for _, lane := range lanes {
			visit(lane)
		}
	}
}

// Run copies until ctx ends; then it writes what it has, commits, and leaves the group, within a few seconds. While
// ClickHouse does not answer it keeps what it has, reads no more of that topic, and tries again. Run can be called
// again after it has returned.
func (l *EventLog) Run(ctx context.Context) error {
	alive, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	client, err := kgo.NewClient(l.options(alive)...)
	if err != nil {
		return fmt.Errorf("event log: connecting to Kafka: %w", err)
	}
	var measuring sync.WaitGroup
	measuring.Go(func() {
		kafka.Lag{Group: l.kafka.Group(group), Owned: l.owned, Gauge: l.metrics.lag, Logger: l.log}.Measure(ctx, client)
	})
	for ctx.Err() == nil {
		turn, end := l.move(ctx, client)
		client.AllowRebalance()
		l.take(client.PollRecords(turn, min(pollRecords, l.config.Flush.Rows)))
		end()
	}
	l.finish(ctx, client)
	measuring.Wait()
	stop := time.AfterFunc(leaveTimeout, kill)
	defer stop.Stop()
	client.CloseAllowingRebalance()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lanes = l.empty()
	l.hasJoined.Store(false)
	return nil
}

// move lets flights land and depart until there is a place for more, and returns a context for the next poll, which ends
// when there is something to do again. It runs between a poll and AllowRebalance, so that no partition comes or goes and nothing
// is committed in the middle of a rebalance, which commits would wait for.
func (l *EventLog) move(ctx context.Context, client *kgo.Client) (context.Context, context.CancelFunc) {
	for {
		turn, interrupt := context.WithCancel(ctx)
		l.interrupt.Store(&interrupt) // before looking what has landed: what lands later ends the turn
		isFull, next := l.advance(ctx, client)
		turn, end := withDeadline(turn, interrupt, next)
		if !isFull {
			return turn, end
		}
		<-turn.Done()
		end()
	}
}

// withDeadline returns a turn that also ends at a time, unless that is zero.
func withDeadline(turn context.Context, end context.CancelFunc, at time.Time) (context.Context, context.CancelFunc) {
	if at.IsZero() {
		return turn, end
	}
	limited, stop := context.WithDeadline(turn, at)
	return limited, func() { stop(); end() }
}

// take puts what was read into the lanes, which decode side by side.
func (l *EventLog) take(fetches kgo.Fetches) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report(fetches)
	now, read := time.Now(), make(map[*lane][][]*kgo.Record)
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			lane := l.lane(p.Topic, p.Partition)
			read[lane] = append(read[lane], p.Records)
		}
	})
	var decoders sync.WaitGroup
	for lane, batches := range read {
		decoders.Go(func() {
			for _, batch := range batches {
				for _, record := range batch {
					lane.add(record, now)
				}
			}
		})
	}
	decoders.Wait()
}

// report logs what went wrong with reading. A partition whose offset is gone stops: starting elsewhere would lose
// records or repeat them unseen, so a person has to decide.
func (l *EventLog) report(fetches kgo.Fetches) {
	for _, fetch := range fetches.Errors() {
		switch {
		case errors.Is(fetch.Err, context.Canceled), errors.Is(fetch.Err, context.DeadlineExceeded), errors.Is(fetch.Err, kgo.ErrClientClosed):
		case errors.Is(fetch.Err, kerr.OffsetOutOfRange):
			l.metrics.stopped.WithLabelValues(fetch.Topic, strconv.Itoa(int(fetch.Partition))).Set(1)
			l.log.Error("event log stopped reading a partition: the offset it goes on from is not in Kafka any more; reset the offset of the group",
				"group", l.kafka.Group(group), "topic", fetch.Topic, "partition", fetch.Partition, "error", fetch.Err)
		default:
			l.log.Warn("event log cannot read", "topic", fetch.Topic, "partition", fetch.Partition, "error", fetch.Err)
		}
	}
}
