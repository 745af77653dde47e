package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// sample is a posted body and what is read of it.
type sample struct {
	body  []byte
	track schemas.Track
}

func readSamples(path string) ([]sample, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var samples []sample
	for lines := bufio.NewScanner(file); lines.Scan(); {
		body := bytes.Clone(lines.Bytes())
		track, err := schemas.ParseTrack(body)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(samples)+1, err)
		}
		samples = append(samples, sample{body, track})
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s has no events", path)
	}
	return samples, nil
}

// record returns the sample under a message ID of its own, as ingest writes it.
func (s sample) record(w *world, messageID string, received time.Time) (*kgo.Record, uuid.UUID, error) {
	id, err := schemas.NewEventID(received)
	if err != nil {
		return nil, id, err
	}
	meta := schemas.EventMeta{
		EventID: id.String(), SourceID: w.source.ID, Environment: environment, Event: s.track.Event,
		MessageID: messageID, ReceivedAt: received,
	}
	key := meta.Key()
	return &kgo.Record{
		Topic: w.cluster.Topic(schemas.EventsTopic), Key: key[:], Timestamp: received,
		Value:   bytes.ReplaceAll(s.body, []byte(s.track.MessageID), []byte(messageID)),
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
func loadEvents(ctx context.Context, w *world, samples []sample, events int) (*truth, error) {
	known := &truth{events: events, byEvent: make(map[uuid.UUID]int, events), byKey: make(map[schemas.Key]int, events)}
	began := time.Now().UTC().Add(-time.Hour - time.Duration(events)*time.Millisecond).Truncate(time.Millisecond)
	random := rand.New(rand.NewPCG(1, 2))
	var failed firstError
	for i := range events {
		message := known.messages
		if i > 0 && random.Float64() < repeats {
			message = random.IntN(known.messages)
		} else {
			known.messages++
		}
		messageID := fmt.Sprintf("message-%012d", message)
		record, id, err := samples[message%len(samples)].record(w, messageID, began.Add(time.Duration(i)*time.Millisecond))
		if err != nil {
			return nil, err
		}
		known.byEvent[id] = message
		known.byKey[schemas.Key(record.Key)] = message
		w.client.Produce(ctx, record, failed.note)
	}
	if err := errors.Join(w.client.Flush(ctx), failed.get()); err != nil {
		return nil, fmt.Errorf("writing the events: %w", err)
	}
	if len(known.byKey) != known.messages {
		return nil, fmt.Errorf("%d messages have %d keys", known.messages, len(known.byKey))
	}
	return known, nil
}

// firstError keeps the first error of many records.
type firstError struct {
	mu  sync.Mutex // guards err
	err error
}

func (f *firstError) note(_ *kgo.Record, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
