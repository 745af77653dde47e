package processor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/dedup"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// clockSkew is how far the clocks of ingest processes may be apart.
const clockSkew = time.Hour

// rereadBytes is how much one fetch brings. Smaller than the client's default, it stays in the processor's cache from
// when it is unpacked to when its headers are read, which saves a tenth of the time.
const rereadBytes = 256 << 10

// rereader reads a part of one partition of the events topic again, outside the consumer group.
type rereader struct {
	client    *kgo.Client
	topic     string
	partition int32
}

// span is the part of a partition that an index must know: from the first record that a window of the next one can
// reach, to the next one.
type span struct{ from, position int64 }

// reread connects to read a partition again. The client must be closed.
func (m *memory) reread(partition int32) (rereader, error) {
	client, err := kgo.NewClient(append(m.kafka.Options(), telemetry.KafkaLogger(m.logger), kgo.MetadataMinAge(metadataMinAge), kgo.DisableClientMetrics(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxPartitionBytes(rereadBytes), kgo.WithPools(newRecordPool()))...)
	if err != nil {
		return rereader{}, fmt.Errorf("connecting to read events again: %w", err)
	}
	return rereader{client, m.kafka.Topic(schemas.EventsTopic), partition}, nil
}

// open opens the index of a partition, notes in it what it lacks, and hands it to the loop.
func (m *memory) open(ctx context.Context, partition int32, r *remembered) error {
	again, err := m.reread(partition)
	if err != nil {
		return err
	}
	defer again.client.Close()
	detail, err := again.topicDetail(ctx)
	if err != nil {
		return err
	}
	if !m.stopped.isSame(detail.ID) {
		return errRecreated // no record may come that would show it
	}
	retention := longestWindow(m.catalog.Snapshot()) + clockSkew
	needed, err := again.span(ctx, m.kafka.Group("processor"), retention)
	if err != nil {
		return err
	}
	index, err := dedup.Open(dedup.Options{
		Dir:   filepath.Join(m.config.DedupDir, m.config.instance(), again.topic, strconv.Itoa(int(partition))),
		Topic: detail.ID, Partition: partition, Retention: retention, Logger: m.logger,
		Memory: max(m.config.DedupMemory/int64(len(detail.Partitions)), dedup.MinMemory),
	})
	if err != nil {
		return err
	}
	if err := m.complete(ctx, again, index, needed, &r.progress); err != nil {
		return errors.Join(err, index.Close())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.index, r.retention, r.settled = index, retention, needed.position
	r.size.note(index)
	return nil
}

// complete notes the records between what the index knows and the position. An index that begins too late is emptied.
func (m *memory) complete(ctx context.Context, again rereader, index *dedup.Index, needed span, progress *progress) error {
	if index.Next() > index.From() && index.From() > needed.from || index.Next() < needed.from {
		if err := index.Reset(); err != nil {
			return err
		}
	}
	index.Skip(needed.from)
	index.Settle(needed.position)
	from := index.Next()
	if from >= needed.position {
		return nil
	}
	progress.begin(from, needed.position)
	defer progress.end()
	began, logged := time.Now(), time.Now()
	err := again.read(ctx, from, needed.position, func(records []*kgo.Record) error {
		progress.reach(records[0].Offset)
		if time.Since(logged) > 5*time.Second {
			logged = time.Now()
			m.logger.Info("reading events again to know their message IDs", "partition", again.partition, "progress", progress.String())
		}
		return noteAll(index, records)
	})
	if err != nil {
		return fmt.Errorf("reading events %d to %d of partition %d again: %w", from, needed.position, again.partition, err)
	}
	index.Skip(needed.position)
	m.logger.Info("read events again to know their message IDs", "partition", again.partition,
		"events", needed.position-from, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// noteAll notes the events among the records. It fails on one of another version of Millrace, whose key nobody here knows.
func noteAll(index *dedup.Index, records []*kgo.Record) error {
	for _, record := range records {
		receivedAt, hasMessageID, err := schemas.ReadReceived(record.Headers)
		if schemas.IsOtherVersion(err) {
			return &foreignError{record.Offset, err}
		}
		if err != nil || !hasMessageID {
			continue // what is no event has no key
		}
		if err := index.Note(keyOf(record), record.Offset, receivedAt); err != nil {
			return err
		}
	}
	return nil
}

func (r rereader) topicDetail(ctx context.Context) (kadm.TopicDetail, error) {
	topics, err := kadm.NewClient(r.client).ListTopics(ctx, r.topic)
	if err != nil {
		return kadm.TopicDetail{}, fmt.Errorf("asking for topic %s: %w", r.topic, err)
	}
	detail, found := topics[r.topic]
	if !found {
		return detail, fmt.Errorf("topic %s does not exist; run `millrace topics`", r.topic)
	}
	return detail, detail.Err
}

// span finds the group's position and how far back windows reach from there: the clock is that of the record before it.
func (r rereader) span(ctx context.Context, group string, retention time.Duration) (span, error) {
	admin := kadm.NewClient(r.client)
	committed, err := admin.FetchOffsetsForTopics(ctx, group, r.topic)
	if err != nil {
		return span{}, fmt.Errorf("asking for the position of partition %d: %w", r.partition, err)
	}
	starts, err := admin.ListStartOffsets(ctx, r.topic)
	if err != nil {
		return span{}, fmt.Errorf("asking for the beginning of partition %d: %w", r.partition, err)
	}
	start, found := starts.Lookup(r.topic, r.partition)
	if !found || start.Err != nil {
		return span{}, fmt.Errorf("asking for the beginning of partition %d: %w", r.partition, errors.Join(start.Err, errors.New("no answer")))
	}
	at, found := committed.Lookup(r.topic, r.partition)
	if at.Err != nil {
		return span{}, fmt.Errorf("asking for the position of partition %d: %w", r.partition, at.Err)
	}
	if !found || at.At <= start.Offset {
		return span{start.Offset, max(start.Offset, at.At)}, nil
	}
	if err := r.checkEnd(ctx, admin, at.At); err != nil {
		return span{}, err
	}
	clock, err := r.clock(ctx, at.At, start.Offset)
	if err != nil {
		return span{}, err
	}
	first, err := admin.ListOffsetsAfterMilli(ctx, clock.Add(-retention).UnixMilli(), r.topic)
	if err != nil {
		return span{}, fmt.Errorf("asking for the first event since %s: %w", clock.Add(-retention), err)
	}
	from, found := first.Lookup(r.topic, r.partition)
	if !found || from.Err != nil {
		return span{}, fmt.Errorf("asking for the first event of partition %d: %w", r.partition, errors.Join(from.Err, errors.New("no answer")))
	}
	return span{min(from.Offset, at.At), at.At}, nil
}

// checkEnd refuses a position beyond the end of the log: the log is another one than the position's, or has lost its end.
// Once the log has grown past the position again, nobody could tell.
func (r rereader) checkEnd(ctx context.Context, admin *kadm.Client, position int64) error {
	ends, err := admin.ListEndOffsets(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("asking for the end of partition %d: %w", r.partition, err)
	}
	end, found := ends.Lookup(r.topic, r.partition)
	if !found || end.Err != nil {
		return fmt.Errorf("asking for the end of partition %d: %w", r.partition, errors.Join(end.Err, errors.New("no answer")))
	}
	if position > end.Offset {
		return fmt.Errorf("the group's position %d lies beyond the end, %d: %w", position, end.Offset, kerr.OffsetOutOfRange)
	}
	return nil
}

// clock returns when the last record before the position was received.
func (r rereader) clock(ctx context.Context, position, start int64) (time.Time, error) {
	clock := time.Now()
	err := r.read(ctx, max(position-1, start), position, func(records []*kgo.Record) error {
		clock = records[len(records)-1].Timestamp
		return nil
	})
	if err != nil {
		return clock, fmt.Errorf("reading the clock of partition %d: %w", r.partition, err)
	}
	return clock, nil
}

// read calls each for the records from one offset on and below another, in order, some at a time. Records are of no more
// use after the call.
func (r rereader) read(ctx context.Context, from, to int64, each func([]*kgo.Record) error) error {
	partitions := map[string]map[int32]kgo.Offset{r.topic: {r.partition: kgo.NewOffset().At(from)}}
	r.client.AddConsumePartitions(partitions)
	defer r.client.RemoveConsumePartitions(map[string][]int32{r.topic: {r.partition}})
	for next := from; next < to; {
		fetches := r.client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return err
		}
		for _, failed := range fetches.Errors() {
			return failed.Err
		}
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		next = records[len(records)-1].Offset + 1
		below := sort.Search(len(records), func(i int) bool { return records[i].Offset >= to })
		if below > 0 {
			if err := each(records[:below]); err != nil {
				return err
			}
		}
		for _, record := range records {
			record.Recycle()
		}
	}
	return nil
}
