package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// clockSkew is how far the clocks of ingest instances may be apart. Their events interleave: one that was received before
// a time may lie behind others that were received after it, and all of so much more time are looked at. Machines that
// keep time differ by less than a second; these minutes cost little to read.
const clockSkew = 10 * time.Minute

// plan finds out which offsets a replay reads. What the topic no longer has, the event log may.
func plan(ctx context.Context, admin *kadm.Client, log *query.Log, topic string, s *spec) ([]schemas.ReplayRange, error) {
	starts, err := listed(admin.ListOffsetsAfterMilli(ctx, s.From.Add(-clockSkew).UnixMilli(), topic))
	if err != nil {
		return nil, fmt.Errorf("asking where the time of the replay begins in %s: %w", topic, err)
	}
	ends, err := listed(admin.ListOffsetsAfterMilli(ctx, s.To.Add(clockSkew).UnixMilli(), topic))
	if err != nil {
		return nil, fmt.Errorf("asking where the time of the replay ends in %s: %w", topic, err)
	}
	lows, err := listed(admin.ListStartOffsets(ctx, topic))
	if err != nil {
		return nil, fmt.Errorf("asking where %s begins: %w", topic, err)
	}
	var ranges []schemas.ReplayRange
	for _, number := range slices.Sorted(maps.Keys(starts[topic])) {
		span := schemas.ReplayRange{Partition: number, Start: starts[topic][number].Offset, End: ends[topic][number].Offset}
		if low := lows[topic][number].Offset; low > 0 && span.Start <= low {
			span, err = extend(ctx, log, topic, s, span, low)
		}
		if err != nil {
			return nil, err
		}
		span.End = max(span.Start, span.End)
		ranges = append(ranges, span)
	}
	if len(ranges) == 0 {
		return nil, fmt.Errorf("topic %s does not exist", topic)
	}
	return ranges, nil
}

// extend lets a range that begins where the partition does begin with what the event log has from before. One that ends
// before the partition begins ends there, too.
func extend(ctx context.Context, log *query.Log, topic string, s *spec, span schemas.ReplayRange, low int64) (schemas.ReplayRange, error) {
	first, until, found, err := log.Bounds(ctx, s.span(topic, span.Partition, 0, low))
	if err != nil || !found {
		return span, err
	}
	span.Start = min(span.Start, first)
	if span.End <= low {
		span.End = until
	}
	return span, nil
}

// span is what the replay wants of a part of a partition.
func (s *spec) span(topic string, partition int32, first, until int64) query.Span {
	return query.Span{
		Topic: topic, Partition: partition, First: first, Until: until,
		Environment: s.Environment, Source: s.SourceID, Names: s.names, From: s.From, To: s.To,
	}
}

// listed takes the errors of single partitions for one of the whole.
func listed(offsets kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
	return offsets, errors.Join(err, offsets.Error())
}
