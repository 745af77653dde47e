package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
)

const (
	// scanRecords bounds what one poll brings, and with fetchBytes the memory.
	scanRecords = 20_000
	// scanPatience bounds how long Kafka may give nothing of what it says that it has.
	scanPatience = 30 * time.Second
)

// stretch is a range of offsets of one partition.
type stretch struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"` // the one behind the last
}

// scanner reads stretches of partitions, outside of any group.
type scanner struct {
	kafka kafka.Config
	admin *kadm.Client
	// take gets the records of a poll in order, and the offset behind it: markers of transactions have offsets, too.
	take func(records []*kgo.Record, next int64) error
	// gone is told what Kafka had deleted by the time that it was to be read.
	gone func(stretch) error
}

// scan reads a stretch to its end.
func (s scanner) scan(ctx context.Context, of stretch) error {
	for of.From < of.To {
		next, err := s.read(ctx, of)
		if err == nil || !errors.Is(err, kerr.OffsetOutOfRange) {
			return err
		}
		starts, startErr := s.admin.ListStartOffsets(ctx, of.Topic)
		start, isKnown := starts.Lookup(of.Topic, of.Partition)
		if startErr != nil || !isKnown || start.Offset <= next {
			return errors.Join(err, startErr)
		}
		lost := of
		lost.From, lost.To = next, min(start.Offset, of.To)
		if err := s.gone(lost); err != nil {
			return err
		}
		of.From = lost.To
	}
	return nil
}

// read reads until the end of the stretch or an error, and returns the offset that it got to.
func (s scanner) read(ctx context.Context, of stretch) (next int64, err error) {
	next = of.From
	// A client that is closed before it has heard of its partitions can begin to read them nevertheless, and then keeps what it
	// read and a goroutine for ever (franz-go 1.22.3).
	if ctx.Err() != nil {
		return next, context.Cause(ctx)
	}
	client, err := kgo.NewClient(append(
		s.kafka.Options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{of.Topic: {of.Partition: kgo.NewOffset().At(of.From)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last offset may be a marker
		kgo.FetchMaxBytes(fetchBytes),
	)...)
	if err != nil {
		return next, fmt.Errorf("connecting to Kafka: %w", err)
	}
	defer client.Close()
	for next < of.To {
		records, err := poll(ctx, client)
		if err != nil {
			return next, err
		}
		kept := records[:0]
		for _, record := range records {
			next = record.Offset + 1
			if record.Offset < of.To && !record.Attrs.IsControl() {
				kept = append(kept, record)
			}
		}
		if err := s.take(kept, min(next, of.To)); err != nil {
			return next, err
		}
	}
	return next, nil
}

func poll(ctx context.Context, client *kgo.Client) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, scanPatience)
	defer cancel()
	fetches := client.PollRecords(ctx, scanRecords)
	if err := fetches.Err(); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return fetches.Records(), nil
}
