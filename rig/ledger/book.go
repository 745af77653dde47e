package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
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
}

// book is what the topics hold, as a reader sees it that reads what is committed.
type book struct {
	options   Options
	client    *kgo.Client
	next      map[string]map[int32]int64 // by topic and partition
	events    []event
	firsts    map[string]place // by message ID
	numbers   map[int64]struct{}
	decisions map[string][]schemas.Decision // by event ID
	runs      map[string]int                // by run ID
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

func newBook(t testing.TB, options Options) *book {
	t.Helper()
	var names []string
	for _, topic := range topics() {
		names = append(names, options.Kafka.Topic(topic))
	}
	client, err := kgo.NewClient(append(options.Kafka.Options(), kgo.ConsumeTopics(names...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	return &book{
		options: options, client: client, next: map[string]map[int32]int64{}, firsts: map[string]place{}, numbers: map[int64]struct{}{},
		decisions: map[string][]schemas.Decision{}, runs: map[string]int{}, final: map[string]schemas.DeliveryOutcome{}, dead: map[string]int{},
		places: map[string][]place{},
	}
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
		run, err := schemas.Decode[schemas.Run](record.Value)
		b.runs[run.RunID]++
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

// addEvent computes what must become of an event, by the message IDs and numbers alone. The test is shorter than the window.
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
	b.numbers[e.number] = struct{}{}
	id := headers["message_id"]
	first, repeats := b.firsts[id]
	switch {
	case repeats:
		e.status, e.first = schemas.Duplicate, first
	case b.options.Unmapped(e.number):
		b.firsts[id], e.status = at, schemas.Failed
	default:
		b.firsts[id], e.runs = at, b.runsOf(e)
	}
	b.events = append(b.events, e)
	return nil
}

func (b *book) runsOf(e event) []string {
	var runs []string
	for _, trigger := range b.options.Triggers {
		if trigger.Matches(e.number) {
			runs = append(runs, schemas.RunID(trigger.ID, e.eventID, 0).String())
		}
	}
	return runs
}

// readToTheEnd reads until the end that each partition has now. Markers of transactions are read along, because the last
// record of a partition may be one.
func (b *book) readToTheEnd(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), b.options.Patience)
	defer cancel()
	var names []string
	for _, topic := range topics() {
		names = append(names, b.options.Kafka.Topic(topic))
	}
	ends, err := kadm.NewClient(b.client).ListCommittedOffsets(ctx, names...)
	if err != nil {
		t.Fatalf("asking for the ends of the topics: %v", err)
	}
	isRead := func() bool {
		done := true
		ends.Each(func(end kadm.ListedOffset) { done = done && b.next[end.Topic][end.Partition] >= end.Offset })
		return done
	}
	for !isRead() {
		b.poll(ctx)
		if ctx.Err() != nil {
			t.Fatalf("reading does not end: at %v of %v", b.next, ends)
		}
	}
	if b.broken != nil {
		t.Fatal(b.broken)
	}
}
