package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// place is where a record lies.
type place struct {
	partition int32
	offset    int64
}

// event is a record of the events topic, with what must become of it.
type event struct {
	number  int64
	eventID string
	at      place
	status  schemas.Status
	first   place    // of the first event with its message ID, where it is a repeat
	runs    []string // IDs, in the order of the triggers
	bodySum uint64
	isLost  bool // nothing must become of it
}

// run is what the runs topic has under one ID.
type run struct {
	copies  int
	request []byte
	differ  bool // copies have other requests than the first
}

// book is what the topics hold, as a reader sees it that reads what is committed.
type book struct {
	options   Options
	client    *kgo.Client
	next      map[string]map[int32]int64 // by topic and partition
	events    []event
	received  map[string][]receipt // by message ID, in the order of the log
	numbers   map[int64]struct{}
	known     map[string]struct{} // event IDs
	lost      []lost
	keep      func(*kgo.Record)             // is given each event that is new; nil is not
	decisions map[string][]schemas.Decision // by event ID
	runs      map[string]run                // by run ID
	final     map[string]schemas.DeliveryOutcome
	dead      map[string]int     // dead letters by run ID
	foreign   []place            // records of the events topic that are no events
	places    map[string][]place // of deliveries and dead letters, which ClickHouse keeps by place
	broken    error              // the first record that cannot be read
}

// topics are those that a book reads.
func topics() []string {
	return []string{schemas.EventsTopic, schemas.DecisionsTopic, schemas.RunsTopic, schemas.DeliveriesTopic, schemas.DeadRunsTopic}
}

func newBook(options Options) (*book, error) {
	var names []string
	for _, topic := range topics() {
		names = append(names, options.Kafka.Topic(topic))
	}
	client, err := kgo.NewClient(append(options.Kafka.Options(), kgo.ConsumeTopics(names...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("reading the topics: %w", err)
	}
	return &book{
		options: options, client: client, next: map[string]map[int32]int64{}, received: map[string][]receipt{}, numbers: map[int64]struct{}{},
		known: map[string]struct{}{}, decisions: map[string][]schemas.Decision{}, runs: map[string]run{}, final: map[string]schemas.DeliveryOutcome{},
		dead: map[string]int{}, places: map[string][]place{},
	}, nil
}

func (b *book) close() { b.client.Close() }

// poll reads what there is, or waits a moment for more.
func (b *book) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	b.client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
		if b.next[record.Topic] == nil {
			b.next[record.Topic] = map[int32]int64{}
		}
		b.next[record.Topic][record.Partition] = record.Offset + 1
		if record.Attrs.IsControl() {
			return
		}
		if err := b.add(record); err != nil && b.broken == nil {
			b.broken = fmt.Errorf("record %d of partition %d of %s: %w", record.Offset, record.Partition, record.Topic, err)
		}
	})
}

func (b *book) add(record *kgo.Record) error {
	at := place{record.Partition, record.Offset}
	switch record.Topic {
	case b.options.Kafka.Topic(schemas.EventsTopic):
		return b.addEvent(record, at)
	case b.options.Kafka.Topic(schemas.DecisionsTopic):
		decision, err := schemas.Decode[schemas.Decision](record.Value)
		b.decisions[decision.EventID] = append(b.decisions[decision.EventID], decision)
		return err
	case b.options.Kafka.Topic(schemas.RunsTopic):
		record, err := schemas.Decode[schemas.Run](record.Value)
		known := b.runs[record.RunID]
		if known.copies == 0 {
			known.request = record.Request
		}
		known.differ = known.differ || !bytes.Equal(known.request, record.Request)
		known.copies++
		b.runs[record.RunID] = known
		return err
	case b.options.Kafka.Topic(schemas.DeliveriesTopic):
		delivery, err := schemas.Decode[schemas.Delivery](record.Value)
		if delivery.Outcome != schemas.Retrying {
			b.final[delivery.RunID] = delivery.Outcome
		}
		b.places[schemas.DeliveriesTopic] = append(b.places[schemas.DeliveriesTopic], at)
		return err
	}
	letter, err := schemas.Decode[schemas.DeadLetter](record.Value)
	b.dead[letter.Run.RunID]++
	b.places[schemas.DeadRunsTopic] = append(b.places[schemas.DeadRunsTopic], at)
	return err
}

// addEvent computes what must become of an event, by the message IDs, times and numbers alone.
func (b *book) addEvent(record *kgo.Record, at place) error {
	headers := map[string]string{}
	for _, header := range record.Headers {
		headers[header.Key] = string(header.Value)
	}
	if headers["event_id"] == "" {
		b.foreign = append(b.foreign, at)
		return nil
	}
	var body struct{ Properties struct{ N int64 } }
	if err := json.Unmarshal(record.Value, &body); err != nil {
		return err
	}
	e := event{number: body.Properties.N, eventID: headers["event_id"], at: at, status: schemas.Processed, bodySum: sum(record.Value)}
	if _, isKnown := b.known[e.eventID]; isKnown {
		return nil // kept from before
	}
	b.known[e.eventID], b.numbers[e.number] = struct{}{}, struct{}{}
	if b.keep != nil {
		b.keep(record)
	}
	e.isLost = b.isLost(at)
	id := headers["message_id"]
	if e.isLost {
		b.events = append(b.events, e)
		return nil
	}
	received := record.Timestamp
	if first, repeats := b.repeated(id, at.partition, received); repeats {
		e.status, e.first = schemas.Duplicate, first
	} else {
		e.status, e.runs = b.outcomeOf(e)
	}
	b.received[id] = append(b.received[id], receipt{at, received})
	b.events = append(b.events, e)
	return nil
}

// outcomeOf says what must become of an event that repeats none.
func (b *book) outcomeOf(e event) (status schemas.Status, runs []string) {
	status = schemas.Processed
	for _, trigger := range b.options.of(e) {
		switch {
		case trigger.fails(e.number):
			status = schemas.Failed
		case trigger.Matches(e.number):
			runs = append(runs, trigger.runID(e))
		}
	}
	return status, runs
}

// reading is how long it may take to read what is there; it is no expectation.
const reading = 2 * time.Minute

// readToTheEnd reads until the end that each partition has now. Markers of transactions are read along, because the last
// record of a partition may be one.
func (b *book) readToTheEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reading)
	defer cancel()
	var names []string
	for _, topic := range topics() {
		names = append(names, b.options.Kafka.Topic(topic))
	}
	ends, err := kadm.NewClient(b.client).ListCommittedOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("asking for the ends of the topics: %w", err)
	}
	isRead := func() bool {
		done := true
		ends.Each(func(end kadm.ListedOffset) { done = done && b.next[end.Topic][end.Partition] >= end.Offset })
		return done
	}
	for !isRead() {
		b.poll(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("reading does not end: at %v of %v", b.next, ends)
		}
	}
	return b.broken
}
