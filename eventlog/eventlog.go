// Package eventlog is the role that remembers: it reads every topic of the pipeline and writes each record as one row
// of the ClickHouse table of that name. Rows are collected per table and inserted in blocks; a Kafka offset is
// committed when its row is acknowledged, and whenever it is not certain what the table holds, the table is asked
// first, so that each record counts exactly once. What cannot be written goes to the table quarantine and stops nobody.
//
//	poll -> lane per topic -> ask what is there -> insert what is missing -> commit -> poll
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
)

const (
	// flushTimeout bounds one round of inserts. It is half of what the group allows for a rebalance, because a rebalance
	// waits for the round.
	flushTimeout = 30 * time.Second
	// finishTimeout bounds how long a process that is asked to stop still waits for an insert under way, and for what it
	// writes last; leaveTimeout bounds how it takes leave of the group.
	finishTimeout = 2 * time.Second
	leaveTimeout  = time.Second
	// pollRecords and fetchBytes bound what one poll adds to the lanes, and so how far a lane exceeds Flush.
	pollRecords = 20_000
	fetchBytes  = 16 << 20
)

// EventLog copies the topics into ClickHouse.
type EventLog struct {
	config Config
	kafka  kafka.Config
	conn   driver.Conn
	log    *slog.Logger

	mu    sync.Mutex // guards lanes: the loop and the rebalance callbacks use them in turn
	lanes map[string]*lane
}

// New returns an event log that writes through conn. It does not take ownership of conn. It fails on settings that
// cannot work.
func New(config Config, kafkaConfig kafka.Config, conn driver.Conn, log *slog.Logger) (*EventLog, error) {
	if err := errors.Join(config.Validate(), kafkaConfig.Validate()); err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	lanes := make(map[string]*lane)
	for _, table := range tables() {
		topic := kafkaConfig.Topic(table.topic)
		lanes[topic] = newLane(topic, table)
	}
	return &EventLog{config: config, kafka: kafkaConfig, conn: conn, log: log, lanes: lanes}, nil
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
	for ctx.Err() == nil {
		l.round(ctx, client)
		client.AllowRebalance()
	}
	l.finish(ctx, client)
	stop := time.AfterFunc(leaveTimeout, kill)
	defer stop.Stop()
	client.CloseAllowingRebalance()
	l.drop()
	return nil
}

// round reads once and writes what is due. Between the two no partition comes or goes.
func (l *EventLog) round(ctx context.Context, client *kgo.Client) {
	waiting, cancel := l.untilNextFlush(ctx)
	fetches := client.PollRecords(waiting, min(pollRecords, l.config.Flush.Rows))
	cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.report(fetches)
	fetches.EachRecord(func(record *kgo.Record) { l.lanes[record.Topic].add(record, now) })
	idle := client.BufferedFetchRecords() == 0
	var due []*lane
	for _, lane := range l.lanes {
		if lane.due(l.config.Flush, now, idle) {
			due = append(due, lane)
		}
	}
	l.write(ctx, client, due)
}

func (l *EventLog) untilNextFlush(ctx context.Context) (context.Context, context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var next time.Time
	for _, lane := range l.lanes {
		if at := lane.wake(l.config.Flush); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if next.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, next)
}

// report logs what went wrong with reading. A partition whose offset is gone stops: starting elsewhere would lose
// records or repeat them unseen, so a person has to decide.
func (l *EventLog) report(fetches kgo.Fetches) {
	for _, fetch := range fetches.Errors() {
		switch {
		case errors.Is(fetch.Err, context.Canceled), errors.Is(fetch.Err, context.DeadlineExceeded), errors.Is(fetch.Err, kgo.ErrClientClosed):
		case errors.Is(fetch.Err, kerr.OffsetOutOfRange):
			l.log.Error("event log stopped reading a partition: the offset it goes on from is not in Kafka any more; reset the offset of the group",
				"group", l.kafka.Group(group), "topic", fetch.Topic, "partition", fetch.Partition, "error", fetch.Err)
		default:
			l.log.Warn("event log cannot read", "topic", fetch.Topic, "partition", fetch.Partition, "error", fetch.Err)
		}
	}
}

// write inserts the rows of the lanes side by side, then commits what is in the tables.
func (l *EventLog) write(ctx context.Context, client *kgo.Client, lanes []*lane) {
	if len(lanes) == 0 {
		return
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	var writers sync.WaitGroup
	for _, lane := range lanes {
		writers.Go(func() { lane.write(ctx, l.conn, l.log) })
	}
	writers.Wait()
	var done []*kgo.Record
	for _, lane := range lanes {
		if lane.waiting() {
			client.PauseFetchTopics(lane.topic)
			continue
		}
		client.ResumeFetchTopics(lane.topic)
		done = append(done, lane.clear()...)
	}
	l.commit(ctx, client, done)
}

// lasting returns a context for one round of inserts. When ctx ends, a round under way is not abandoned at once.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	round, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-round.Done():
		case <-time.After(finishTimeout):
			cancel()
		}
	})
	return round, func() { stop(); cancel() }
}

// commit stores how far each partition got. A failure loses nothing: the next commit includes this one, and a new owner
// finds the rows in the table.
func (l *EventLog) commit(ctx context.Context, client *kgo.Client, done []*kgo.Record) {
	if err := client.CommitRecords(ctx, done...); err != nil {
		l.log.Warn("event log could not commit its offsets; they are committed with the next ones", "error", err)
	}
}

// finish writes what is left, once.
func (l *EventLog) finish(ctx context.Context, client *kgo.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []*lane
	for _, lane := range l.lanes {
		if len(lane.rows) > 0 {
			left = append(left, lane)
		}
	}
	l.write(ctx, client, left)
}
