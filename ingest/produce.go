package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"

	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// produce puts an event into Kafka and returns once all in-sync replicas have it. Every error is a refusal 503: the
// event may be stored all the same, and the client's repeat is then dropped by its message ID.
func (i *Ingest) produce(ctx context.Context, meta schemas.EventMeta, body []byte, span *telemetry.Span) error {
	if i.inFlight.Add(1) > int64(i.config.MaxInFlight) {
		i.inFlight.Add(-1)
		i.metrics.shed[tooMany].Inc()
		return unavailable("too many events are being stored; send it again")
	}
	defer i.inFlight.Add(-1)
	key := meta.Key()
	record := &kgo.Record{
		Topic: i.topic, Key: key[:], Value: body, Timestamp: meta.ReceivedAt,
		Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
	}
	if span != nil {
		record.Headers = schemas.WithTrace(record.Headers, span.Parent())
		span.About(attribute.String("millrace.event_id", meta.EventID))
	}
	acknowledged := make(chan error, 1)
	// TryProduce fails at once when the buffer is full, where Produce would wait for room without a bound.
	i.client.TryProduce(ctx, record, func(_ *kgo.Record, err error) { acknowledged <- err })
	return i.await(meta.EventID, acknowledged)
}

// await waits for an acknowledgement. The client gives a record up by its own delivery timeout only while no write of
// it is under way, so that the time has to be kept here as well.
func (i *Ingest) await(eventID string, acknowledged <-chan error) error {
	timeout := time.NewTimer(i.config.AckTimeout)
	defer timeout.Stop()
	select {
	case err := <-acknowledged:
		return i.explainUnacknowledged(eventID, err)
	case <-timeout.C:
		i.fail(unacknowledged)
		return unavailable("Kafka did not acknowledge the event in time; send it again")
	}
}

func (i *Ingest) explainUnacknowledged(eventID string, err error) error {
	switch {
	case err == nil:
		if i.failing.Load() != 0 {
			i.failing.Store(0)
		}
		return nil
	case errors.Is(err, kgo.ErrMaxBuffered):
		i.metrics.shed[bufferFull].Inc()
		return unavailable("too many events are being stored; send it again")
	case errors.Is(err, kgo.ErrRecordTimeout):
		i.fail(unacknowledged)
		return unavailable("Kafka did not acknowledge the event in time; send it again")
	}
	i.fail(refused)
	i.logger.Error("an event was not stored", "event_id", eventID, "error", err)
	return unavailable("Kafka did not take the event; send it again")
}

func (i *Ingest) fail(why shedding) {
	i.metrics.shed[why].Inc()
	i.failing.Store(time.Now().UnixNano())
}
