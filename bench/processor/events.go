package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/schemas"
)

// record returns the sample under a message ID of its own, as ingest writes it.
func record(w *world, s sample.Sample, messageID string, received time.Time) (*kgo.Record, uuid.UUID, error) {
	id, err := schemas.NewEventID(received)
	if err != nil {
		return nil, id, err
	}
	meta := schemas.EventMeta{
		EventID: id.String(), SourceID: w.source.ID, Environment: environment, Event: s.Track.Event,
		MessageID: messageID, ReceivedAt: received,
	}
	key := meta.Key()
	return &kgo.Record{
		Topic: w.cluster.Topic(schemas.EventsTopic), Key: key[:], Timestamp: received,
		Value:   bytes.ReplaceAll(s.Body, []byte(s.Track.MessageID), []byte(messageID)),
		Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
	}, id, nil
}

// truth is what the generator knows of the events it wrote: which message, counted from 0, each of them is of.
type truth struct {
	events   int
	byEvent  map[uuid.UUID]int
	byKey    map[schemas.Key]int
	messages int
}

// repeats is the part of the events that were there before.
const repeats = 0.1

// loadEvents writes the events, 1 ms apart and all of them within the last hours, so that the window holds them all.
func loadEvents(ctx context.Context, w *world, samples []sample.Sample, events int) (*truth, error) {
	known := &truth{events: events, byEvent: make(map[uuid.UUID]int, events), byKey: make(map[schemas.Key]int, events)}
	began := time.Now().UTC().Add(-time.Hour - time.Duration(events)*time.Millisecond).Truncate(time.Millisecond)
	random := rand.New(rand.NewPCG(1, 2))
	var failed kgo.FirstErrPromise
	for i := range events {
		message := known.messages
		if i > 0 && random.Float64() < repeats {
			message = random.IntN(known.messages)
		} else {
			known.messages++
		}
		messageID := fmt.Sprintf("message-%012d", message)
		record, id, err := record(w, samples[message%len(samples)], messageID, began.Add(time.Duration(i)*time.Millisecond))
		if err != nil {
			return nil, err
		}
		known.byEvent[id] = message
		known.byKey[schemas.Key(record.Key)] = message
		w.client.Produce(ctx, record, failed.Promise())
	}
	if err := errors.Join(w.client.Flush(ctx), failed.Err()); err != nil {
		return nil, fmt.Errorf("writing the events: %w", err)
	}
	if len(known.byKey) != known.messages {
		return nil, fmt.Errorf("%d messages have %d keys", known.messages, len(known.byKey))
	}
	return known, nil
}
