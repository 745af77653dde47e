package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
)

const (
	// verifyRecords and verifyBytes bound what is compared at a time, and so the memory.
	verifyRecords = 50_000
	verifyBytes   = 32 << 20
)

// Verified is what became of the records of one partition, from the oldest that Kafka still has up to the event log's
// committed offset. Offsets that hold no record for readers of committed records (markers of transactions, records of
// aborted ones, what retention deleted) do not count: the records themselves are read, not the offsets between the ends.
type Verified struct {
	Topic     string `json:"topic"`
	Table     string `json:"table"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // the first offset that was looked at
	To        int64  `json:"to"`   // the one behind the last

	Records     int64 `json:"records"`     // what Kafka has; the sum of the next four and Missing
	Rows        int64 `json:"rows"`        // have their row under FINAL
	Collapsed   int64 `json:"collapsed"`   // have one under the offset of another record with the same identity
	Quarantined int64 `json:"quarantined"` // are in the quarantine instead
	Expired     int64 `json:"expired"`     // had a row that is older than the table keeps
	Missing     int64 `json:"missing"`
	Twice       int64 `json:"twice"`   // count more than once under FINAL
	Unknown     int64 `json:"unknown"` // rows of offsets at which Kafka has no record
	Waiting     int64 `json:"waiting"` // offsets beyond To, not written yet

	FirstMissing int64 `json:"first_missing"` // its offset; -1 where none is missing
}

// IsExact tells whether each record counts exactly once.
func (v Verified) IsExact() bool { return v.Missing == 0 && v.Twice == 0 && v.Unknown == 0 }

// Progress is told how Verify gets on.
type Progress struct {
	Compared func(offsets int64) // after each chunk
	Done     func(Verified)      // after each partition
}

// Verify compares the topics with their tables, record by record, and tells what it finds to progress. Without topics it
// takes all that the event log reads; topics are named without the prefix. The event log may be running. It fails when
// either side cannot be read.
func Verify(ctx context.Context, kafkaConfig kafka.Config, config Config, conn driver.Conn, topics []string, progress Progress) error {
	chosen, err := choose(topics)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(kafkaConfig.Options()...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka: %w", err)
	}
	defer client.Close()
	v := verifier{config: config, kafka: kafkaConfig, conn: conn, admin: kadm.NewClient(client), compared: progress.Compared}
	for _, table := range chosen {
		parts, err := v.parts(ctx, table)
		if err != nil {
			return err
		}
		for _, part := range parts {
			if err := v.verify(ctx, part); err != nil {
				return fmt.Errorf("verifying %s, partition %d: %w", part.Topic, part.Partition, err)
			}
			progress.Done(part.Verified)
		}
	}
	return nil
}

// choose returns the tables of topics.
func choose(topics []string) ([]table, error) {
	if len(topics) == 0 {
		return tables(), nil
	}
	var chosen []table
	var known []string
	for _, table := range tables() {
		known = append(known, table.topic)
		if slices.Contains(topics, table.topic) {
			chosen = append(chosen, table)
		}
	}
	for _, topic := range topics {
		if !slices.Contains(known, topic) {
			return nil, fmt.Errorf("topic %q is none of the event log's: %s", topic, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

type verifier struct {
	config Config
	kafka  kafka.Config
	conn   driver.Conn
	admin  *kadm.Client

	compared func(offsets int64)
}

// part is a partition that is verified.
type part struct {
	Verified
	table table
	ttl   tableTTL
}

// parts asks how far the partitions of a table's topic go.
func (v verifier) parts(ctx context.Context, table table) ([]*part, error) {
	topic := v.kafka.Topic(table.topic)
	starts, startErr := v.admin.ListStartOffsets(ctx, topic)
	ends, endErr := v.admin.ListCommittedOffsets(ctx, topic)
	committed, commitErr := v.admin.FetchOffsets(ctx, v.kafka.Group(group))
	if errors.Is(commitErr, kerr.GroupIDNotFound) {
		commitErr = nil // the event log has never run
	}
	if err := errors.Join(startErr, endErr, commitErr, starts.Error(), ends.Error()); err != nil {
		return nil, fmt.Errorf("asking Kafka for the offsets of %s: %w", topic, err)
	}
	ttl, err := readTTL(ctx, v.conn, v.config.local(table.name))
	if err != nil {
		return nil, err
	}
	var parts []*part
	for _, end := range ends.Offsets().Sorted() {
		start, _ := starts.Lookup(topic, end.Partition)
		to := start.Offset
		if commit, is := committed.Lookup(topic, end.Partition); is {
			to = min(end.At, max(to, commit.At))
		}
		parts = append(parts, &part{table: table, ttl: ttl, Verified: Verified{
			Topic: topic, Table: table.name, Partition: end.Partition, From: start.Offset, To: to, Waiting: end.At - to, FirstMissing: -1,
		}})
	}
	return parts, nil
}

// verify reads the partition a chunk at a time and compares each.
func (v verifier) verify(ctx context.Context, part *part) error {
	var chunk []*kgo.Record
	bytes, first := 0, part.From
	compare := func(next int64) error {
		if next == first {
			return nil
		}
		err := v.compare(ctx, part, chunk, span{first, next - 1})
		v.compared(next - first)
		chunk, bytes, first = nil, 0, next
		return err
	}
	reader := scanner{
		kafka: v.kafka, admin: v.admin,
		take: func(records []*kgo.Record, next int64) error {
			chunk = append(chunk, records...)
			for _, record := range records {
				bytes += size(record)
			}
			if next < part.To && len(chunk) < verifyRecords && bytes < verifyBytes {
				return nil
			}
			return compare(next)
		},
		gone: func(lost stretch) error {
			err := compare(lost.From)
			first = lost.To
			return err
		},
	}
	return reader.scan(ctx, stretch{part.Topic, part.Partition, part.From, part.To})
}
