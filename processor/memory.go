package processor

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// memory holds the dedup index of each partition that this process has worked on, and what is committed. An index that
// lacks records (at the first event after a start, or when the partition was elsewhere) is completed from the topic.
type memory struct {
	kafka   kafka.Config
	logger  *slog.Logger
	indexes map[int32]*dedup.Index
	settled map[int32]int64 // by partition, the offset after the last committed one
	input   *replayer
}

func newMemory(cluster kafka.Config, logger *slog.Logger) *memory {
	return &memory{
		kafka: cluster, logger: logger, indexes: map[int32]*dedup.Index{}, settled: map[int32]int64{},
		input: &replayer{kafka: cluster, logger: logger},
	}
}

// isSettled reports whether the decision on the record was committed by this process.
func (m *memory) isSettled(record *kgo.Record) bool {
	return record.Offset < m.settled[record.Partition]
}

// settle notes, by partition, that what lies below the offset is committed.
func (m *memory) settle(next map[int32]int64) {
	for partition, offset := range next {
		m.settled[partition] = offset
		if index, found := m.indexes[partition]; found {
			index.Settle(offset)
		}
	}
}

// check reports whether the event repeats an earlier one, and the offset of the first of them.
func (m *memory) check(ctx context.Context, record *kgo.Record, meta schemas.EventMeta, snapshot *catalog.Snapshot) (int64, bool, error) {
	index, found := m.indexes[record.Partition]
	if !found {
		index = dedup.New(retention)
		m.indexes[record.Partition] = index
	}
	if index.Next() < record.Offset {
		if err := m.complete(ctx, index, record, snapshot); err != nil {
			return 0, false, err
		}
	}
	if meta.MessageID == "" {
		index.Skip(record.Offset + 1)
		return 0, false, nil
	}
	first, duplicate := index.Check(meta.Key(), record.Offset, meta.ReceivedAt, window(snapshot, meta))
	return first, duplicate, nil
}

// window returns the dedup window of the event's endpoint, 0 for off.
func window(snapshot *catalog.Snapshot, meta schemas.EventMeta) time.Duration {
	source, found := snapshot.Source(meta.SourceID)
	if !found {
		return time.Duration(schemas.DefaultWindow)
	}
	endpoint, found := source.Endpoints[meta.Environment]
	if !found {
		return time.Duration(schemas.DefaultWindow)
	}
	return time.Duration(endpoint.DedupWindow)
}

// complete notes the records between what the index has and the one about to be checked.
func (m *memory) complete(ctx context.Context, index *dedup.Index, before *kgo.Record, snapshot *catalog.Snapshot) error {
	oldest := before.Timestamp.Add(-retention)
	err := m.input.read(ctx, before, index.Next(), oldest, func(record *kgo.Record) {
		meta, err := schemas.ReadEventMeta(record.Headers)
		if err != nil || meta.MessageID == "" {
			return
		}
		index.Note(meta.Key(), record.Offset, meta.ReceivedAt, window(snapshot, meta))
	})
	if err != nil {
		return fmt.Errorf("completing the dedup index of partition %d up to offset %d: %w", before.Partition, before.Offset, err)
	}
	index.Skip(before.Offset)
	return nil
}
