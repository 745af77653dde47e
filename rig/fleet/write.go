package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// Event is one that a test writes as ingest does, but by a clock of its own.
type Event struct {
	Number     int64
	MessageID  string
	ReceivedAt time.Time
	Padding    string // that runs do not carry along
}

// Write puts events into Kafka in their order, and waits until it has them.
func (f *Fleet) Write(events ...Event) {
	f.t.Helper()
	// Padding that is packed would not take the room that a test wants it to take.
	client, err := kgo.NewClient(append(f.Kafka.Options(), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err != nil {
		f.t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for _, event := range events {
		records = append(records, f.record(event))
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		f.t.Fatalf("writing events: %v", err)
	}
	for _, event := range events {
		f.Ledger.Acknowledge(event.Number)
	}
}

func (f *Fleet) record(event Event) *kgo.Record {
	meta := schemas.EventMeta{
		EventID: uuid.Must(uuid.NewV7()).String(), SourceID: f.Source.ID, Environment: "production", Event: "Order",
		MessageID: event.MessageID, ReceivedAt: event.ReceivedAt.UTC().Truncate(time.Millisecond),
	}
	key := meta.Key()
	return &kgo.Record{
		Topic: f.Kafka.Topic(schemas.EventsTopic), Key: key[:], Timestamp: meta.ReceivedAt, Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
		Value: fmt.Appendf(nil, `{"type":"track","event":"Order","userId":"u%d","messageId":"%s","properties":{"n":%d,"chosen":%t},"context":{"padding":"%s"}}`,
			event.Number%500, event.MessageID, event.Number, f.options.EventNumber(event.Number), event.Padding),
	}
}
