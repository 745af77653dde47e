package eventlog

import (
	"maps"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

// row is one record on its way into a table.
type row struct {
	record *kgo.Record
	fields any    // what the table's columns read; nil when the record has no place in the table
	reason string // why it has none
}

// lane collects the rows of one topic until they are worth an insert. It is used by one goroutine at a time. What it
// holds is bounded by Flush and one poll: while rows wait to be written again, the topic is not read.
type lane struct {
	topic      string
	table      table
	rows       []row
	bytes      int
	oldest     time.Time // when the first of rows was read
	partitions map[int32]*partition

	backoff *backoff.ExponentialBackOff
	retryAt time.Time // zero unless the last write failed
	failing time.Time // since when
}

// partition is what a lane knows of one Kafka partition that it owns.
type partition struct {
	next int64 // offsets below have been read already
	// unsure says that someone else may have written rows that were never committed. Once the table has been asked,
	// and after each write of our own that ended without a clear answer, horizon is the highest offset that may be in
	// the table: up to there every insert looks first.
	unsure  bool
	horizon int64
}

func newLane(topic string, table table) *lane {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval = 100 * time.Millisecond
	retry.MaxInterval = 5 * time.Second
	return &lane{topic: topic, table: table, partitions: make(map[int32]*partition), backoff: retry}
}

func (l *lane) assign(numbers []int32) {
	for _, number := range numbers {
		l.partitions[number] = &partition{unsure: true, horizon: -1}
	}
}

func (l *lane) revoke(numbers []int32) {
	for _, number := range numbers {
		delete(l.partitions, number)
	}
	kept := l.rows[:0]
	l.bytes = 0
	for _, row := range l.rows {
		if l.partitions[row.record.Partition] != nil {
			kept = append(kept, row)
			l.bytes += size(row.record)
		}
	}
	clear(l.rows[len(kept):])
	l.rows = kept
}

// add takes a record of a partition that is owned. One that was read before is skipped.
func (l *lane) add(record *kgo.Record, now time.Time) {
	partition := l.partitions[record.Partition]
	if partition == nil || record.Offset < partition.next {
		return
	}
	partition.next = record.Offset + 1
	if len(l.rows) == 0 {
		l.oldest = now
	}
	fields, err := l.table.decode(record)
	if err != nil {
		l.rows = append(l.rows, row{record: record, reason: err.Error()})
	} else {
		l.rows = append(l.rows, row{record: record, fields: fields})
	}
	l.bytes += size(record)
}

func size(record *kgo.Record) int { return len(record.Key) + len(record.Value) }

// quiet is how long a row waits when no more are coming.
func quiet(flush Flush) time.Duration { return flush.Interval * 2 / 5 }

// due tells whether to write now. idle says that nothing more is ready to be read.
func (l *lane) due(flush Flush, now time.Time, idle bool) bool {
	switch age := now.Sub(l.oldest); {
	case l.waiting(): // even without rows, if they were revoked: the topic has to be read again
		return !now.Before(l.retryAt)
	case len(l.rows) == 0:
		return false
	case len(l.rows) >= flush.Rows, l.bytes >= flush.Bytes, age >= flush.Interval:
		return true
	default:
		return idle && age >= quiet(flush)
	}
}

// wake returns when due may become true without another record, or the zero time.
func (l *lane) wake(flush Flush) time.Time {
	switch {
	case l.waiting():
		return l.retryAt
	case len(l.rows) == 0:
		return time.Time{}
	default:
		return l.oldest.Add(quiet(flush))
	}
}

// waiting says that the last write failed and the rows are kept for another.
func (l *lane) waiting() bool { return !l.retryAt.IsZero() }

// clear forgets the rows, which are in the table, and returns the last record of each partition.
func (l *lane) clear() []*kgo.Record {
	last := make(map[int32]*kgo.Record)
	for _, row := range l.rows {
		last[row.record.Partition] = row.record
	}
	l.rows, l.bytes = nil, 0
	return slices.Collect(maps.Values(last))
}
