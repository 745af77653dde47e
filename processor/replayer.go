package processor

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/telemetry"
)

// replayer reads parts of the events topic again, outside the consumer group.
type replayer struct {
	kafka  kafka.Config
	logger *slog.Logger
}

// read calls each for the records of before's partition that lie at or after the offset from, are not older than
// oldest, and lie below before, in order.
func (r *replayer) read(ctx context.Context, before *kgo.Record, from int64, oldest time.Time, each func(*kgo.Record)) error {
	client, err := kgo.NewClient(append(r.kafka.Options(), telemetry.KafkaLogger(r.logger),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	start, err := firstSince(ctx, client, before, oldest)
	if err != nil {
		return err
	}
	start = max(start, from)
	if start >= before.Offset {
		return nil
	}
	began := time.Now()
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{
		before.Topic: {before.Partition: kgo.NewOffset().At(start)},
	})
	for next := start; next < before.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return err
		}
		if err := fetchError(fetches); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			next = record.Offset + 1
			if record.Offset < before.Offset {
				each(record)
			}
		})
	}
	r.logger.Info("read events again to know their message IDs", "partition", before.Partition,
		"events", before.Offset-start, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// firstSince returns the offset of the first record in before's partition that is not older than oldest.
func firstSince(ctx context.Context, client *kgo.Client, before *kgo.Record, oldest time.Time) (int64, error) {
	offsets, err := kadm.NewClient(client).ListOffsetsAfterMilli(ctx, oldest.UnixMilli(), before.Topic)
	if err != nil {
		return 0, fmt.Errorf("asking for the first offset since %s: %w", oldest.Format(time.RFC3339), err)
	}
	offset, found := offsets.Lookup(before.Topic, before.Partition)
	if !found {
		return 0, fmt.Errorf("asking for the first offset of partition %d: it does not exist", before.Partition)
	}
	return offset.Offset, offset.Err
}
