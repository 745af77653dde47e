package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// lane carries the rows of some of a topic's partitions to their table: while one block is on its way there, the next is
// collected. The loop and the rebalance callbacks use it in turn. What it holds is bounded by twice Flush and one poll:
// when the block that is collected is full and the one before it still under way, the lane's partitions are not read.
type lane struct {
	topic      string
	table      table
	partitions map[int32]*partition
	rows       []row // the block that is collected
	bytes      int
	oldest     time.Time // when the first of rows was read
	newest     time.Time // when the last of them was
	flight     *flight   // the block before it, until it is known to be in the table

	isPaused  bool
	fullSince time.Time // zero unless the lane has no place for more

	backoff *backoff.ExponentialBackOff
	retryAt time.Time // zero unless flight failed
	failing time.Time // since when
}

// row is one record on its way into a table.
type row struct {
	record *kgo.Record
	fields any    // what the table's columns read; nil when the record has no place in the table
	reason string // why it has none
}

// partition is what a lane knows of one Kafka partition that it owns.
type partition struct {
	next    int64 // offsets below have been read already
	doubt   doubt // belongs to the flight while there is one
	foreign error // why it is not read on, where the next record is of another version of Millrace

	isStopped bool // whether the client knows that
}

// doubt is what may be in the table of a partition although it was never committed. unsure says that someone else may have
// written such rows. Once the table has been asked, and after each write of our own that ended without a clear answer,
// horizon is the highest offset that may be there: up to it every insert looks first.
type doubt struct {
	unsure  bool
	horizon int64
}

func newLane(topic string, table table) *lane {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval = 100 * time.Millisecond
	retry.MaxInterval = 5 * time.Second
	return &lane{topic: topic, table: table, partitions: make(map[int32]*partition), backoff: retry}
}

func (l *lane) assign(number int32) {
	l.partitions[number] = &partition{doubt: doubt{unsure: true, horizon: -1}}
}

// revoke forgets a partition and its rows. No flight of the lane may be under way.
func (l *lane) revoke(number int32) {
	delete(l.partitions, number)
	l.rows, l.bytes = without(l.rows, number)
	if l.flight == nil {
		return
	}
	if l.flight.rows, _ = without(l.flight.rows, number); len(l.flight.rows) == 0 {
		l.flight, l.retryAt = nil, time.Time{}
	}
}

// without drops the rows of a partition and returns the others with their size.
func without(rows []row, number int32) (kept []row, bytes int) {
	kept = rows[:0]
	for _, row := range rows {
		if row.record.Partition != number {
			kept = append(kept, row)
			bytes += size(row.record)
		}
	}
	clear(rows[len(kept):])
	return kept, bytes
}

// add takes a record of a partition that is owned. One that was read before is skipped. One of another version of Millrace
// stops the partition: somebody else can make a row of it.
func (l *lane) add(record *kgo.Record, now time.Time) {
	partition := l.partitions[record.Partition]
	if partition == nil || partition.foreign != nil || record.Offset < partition.next {
		return
	}
	fields, err := l.table.decode(record)
	if schemas.IsOtherVersion(err) {
		partition.foreign = fmt.Errorf("the record at offset %d: %w", record.Offset, err)
		return
	}
	partition.next = record.Offset + 1
	if len(l.rows) == 0 {
		l.oldest = now
	}
	l.newest = now
	if err != nil {
		l.rows = append(l.rows, row{record: record, reason: err.Error()})
	} else {
		l.rows = append(l.rows, row{record: record, fields: fields})
	}
	l.bytes += size(record)
}

func size(record *kgo.Record) int { return len(record.Key) + len(record.Value) }

// isFull says that the collected block has reached a bound.
func (l *lane) isFull(flush Flush) bool { return len(l.rows) >= flush.Rows || l.bytes >= flush.Bytes }

// quiet is how long a block waits for another row. What a block costs ClickHouse hardly depends on its rows, so it does not
// leave at the first moment in which there is nothing to read.
func quiet(flush Flush) time.Duration { return flush.Interval / 5 }

// isDue tells whether a block should leave now.
func (l *lane) isDue(flush Flush, now time.Time) bool {
	switch {
	case l.flight != nil:
		return l.isWaiting() && !now.Before(l.retryAt)
	case len(l.rows) == 0:
		return false
	default:
		return l.isFull(flush) || !now.Before(l.leaves(flush))
	}
}

// leaves returns when the collected block is due at the latest, unless more rows come.
func (l *lane) leaves(flush Flush) time.Time {
	last, alone := l.oldest.Add(flush.Interval), l.newest.Add(quiet(flush))
	if alone.Before(last) {
		return alone
	}
	return last
}

// wake returns when the lane has something to do without another record or the end of its flight, or the zero time.
func (l *lane) wake(flush Flush) time.Time {
	switch {
	case l.isWaiting():
		return l.retryAt
	case l.flight != nil || len(l.rows) == 0:
		return time.Time{}
	default:
		return l.leaves(flush)
	}
}

// isWaiting says that the flight failed and its rows are kept for another.
func (l *lane) isWaiting() bool { return !l.retryAt.IsZero() }

// depart makes a flight of the collected rows, or another of the one that failed.
func (l *lane) depart() *flight {
	if l.flight == nil {
		l.flight = &flight{table: l.table, topic: l.topic, rows: l.rows}
		l.rows, l.bytes = make([]row, 0, len(l.rows)), 0
	}
	l.retryAt = time.Time{}
	l.flight.landed = make(chan struct{})
	l.flight.partitions = maps.Clone(l.partitions)
	return l.flight
}

// arrive takes note of a flight that has ended, and returns the last record of each partition that is in the table now.
func (l *lane) arrive(log *slog.Logger) map[int32]*kgo.Record {
	flight := l.flight
	if flight.err != nil {
		l.failed(log, flight.err)
		return nil
	}
	l.succeeded(log)
	l.flight = nil
	last := make(map[int32]*kgo.Record)
	for _, row := range flight.rows {
		last[row.record.Partition] = row.record
	}
	return last
}

func (l *lane) failed(log *slog.Logger, err error) {
	level := slog.LevelDebug
	if l.failing.IsZero() {
		l.failing = time.Now()
		level = slog.LevelWarn
	}
	l.retryAt = time.Now().Add(l.backoff.NextBackOff())
	log.Log(context.Background(), level, "event log cannot write; it keeps the rows, reads no more of the topic than it has a place for and goes on trying",
		"table", l.table.name, "rows", len(l.flight.rows), "error", err)
}

func (l *lane) succeeded(log *slog.Logger) {
	if l.failing.IsZero() {
		return
	}
	log.Info("event log writes again", "table", l.table.name, "rows", len(l.flight.rows), "after", time.Since(l.failing).Round(time.Millisecond))
	l.failing = time.Time{}
	l.backoff.Reset()
}

// await waits for the flight if one is under way.
func (l *lane) await() {
	if l.flight != nil {
		<-l.flight.landed
	}
}

// owned returns the lane's partitions that are not stopped, as the client wants them.
func (l *lane) owned() map[string][]int32 {
	var numbers []int32
	for number, partition := range l.partitions {
		if partition.foreign == nil {
			numbers = append(numbers, number)
		}
	}
	return map[string][]int32{l.topic: numbers}
}
