package eventlog

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// advance takes note of the flights that have landed, lets the next ones depart, commits, and pauses or resumes
// partitions. It returns whether reading has to stop until there is a place, and when to look again, or the zero time
// where only a record or a landing makes a difference.
func (l *EventLog) advance(ctx context.Context, client *kgo.Client) (isFull bool, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	var done []*kgo.Record
	l.each(func(lane *lane) {
		done = append(done, l.land(lane)...)
		l.stopForeign(client, lane)
		if lane.isDue(l.config.Flush, now) {
			l.send(ctx, lane)
		}
	})
	l.commit(ctx, client, done)
	isPaused := make(map[string]bool)
	l.each(func(lane *lane) {
		until := l.makeRoom(client, lane, now)
		isPaused[lane.table.name] = isPaused[lane.table.name] || lane.isPaused
		isFull = isFull || !until.IsZero()
		for _, at := range []time.Time{until, lane.wake(l.config.Flush)} {
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	})
	l.metrics.pausedTables(isPaused)
	return isFull, next
}

// land takes note of the lane's flight if it has ended, and returns what can be committed.
func (l *EventLog) land(lane *lane) (done []*kgo.Record) {
	if lane.flight == nil || lane.isWaiting() || lane.flight.isUnderWay() {
		return nil
	}
	l.metrics.landed(lane.flight)
	for _, record := range lane.arrive(l.log) {
		done = append(done, record)
	}
	return done
}

// send lets the lane's next flight depart.
func (l *EventLog) send(ctx context.Context, lane *lane) {
	flight := lane.depart()
	lasting, cancel := lasting(ctx)
	go func() {
		defer cancel()
		flight.write(lasting, l.conn, l.log)
		(*l.interrupt.Load())()
	}()
}

// makeRoom pauses the partitions of a lane that stays full, resumes them when it has a place, and returns until when
// reading as a whole waits for one, or the zero time.
func (l *EventLog) makeRoom(client *kgo.Client, lane *lane, now time.Time) (until time.Time) {
	switch {
	case lane.flight == nil || !lane.isFull(l.config.Flush):
		lane.fullSince = time.Time{}
		if lane.isPaused {
			client.ResumeFetchPartitions(lane.owned())
			lane.isPaused = false
		}
	case lane.isPaused:
	case lane.fullSince.IsZero() && !lane.isWaiting():
		lane.fullSince = now
		until = now.Add(holdTime)
	case now.Sub(lane.fullSince) < holdTime && !lane.isWaiting():
		until = lane.fullSince.Add(holdTime)
	default:
		client.PauseFetchPartitions(lane.owned())
		lane.isPaused = true
	}
	return until
}

// lasting returns a context for one insert. When ctx ends, an insert under way is not abandoned at once.
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
	if len(done) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := client.CommitRecords(ctx, done...); err != nil {
		l.log.Warn("event log could not commit its offsets; they are committed with the next ones", "error", err)
	}
}

// finish waits for the flights under way and writes what was collected meanwhile, once. What failed is left to the next
// owner.
func (l *EventLog) finish(ctx context.Context, client *kgo.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range 2 {
		var done []*kgo.Record
		l.each(func(lane *lane) {
			lane.await()
			done = append(done, l.land(lane)...)
			if lane.flight == nil && len(lane.rows) > 0 {
				l.send(ctx, lane)
			}
		})
		l.commit(ctx, client, done)
	}
}
