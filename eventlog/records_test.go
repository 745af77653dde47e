package eventlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// midnight is where the records of the tests lie: half of them before it, half behind, so that every block touches two
// partitions of its table. It is the last midnight but one, so that no row is older than its table keeps.
func midnight() time.Time { return time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1) }

// maker makes records that belong together. Its nth event is received n milliseconds apart around midnight.
type maker struct {
	tb     testing.TB
	kafka  kafka.Config
	events int
}

func (m *maker) event(body string) (*kgo.Record, schemas.EventMeta) {
	m.tb.Helper()
	shift := time.Duration(m.events/2+1) * time.Millisecond
	if m.events%2 == 0 {
		shift = -shift
	}
	m.events++
	meta := schemas.EventMeta{SourceID: "src_shop", Environment: "production", Event: "Order Completed", ReceivedAt: midnight().Add(shift)}
	if track, err := schemas.ParseTrack([]byte(body)); err == nil {
		meta.Event, meta.MessageID = track.Event, track.MessageID
	}
	id, err := schemas.NewEventID(meta.ReceivedAt)
	if err != nil {
		m.tb.Fatal(err)
	}
	meta.EventID = id.String()
	key := meta.Key()
	return &kgo.Record{
		Topic: m.kafka.Topic(schemas.EventsTopic), Key: key[:], Value: []byte(body), Timestamp: meta.ReceivedAt,
		Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
	}, meta
}

// many returns n events that differ in their message ID.
func (m *maker) many(n int) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i], _ = m.event(fmt.Sprintf(`{"type":"track","event":"Order Completed","messageId":"m-%d","userId":"u-%d"}`, m.events, m.events%7))
	}
	return records
}

func (m *maker) decision(of schemas.EventMeta, status schemas.Status, triggers ...schemas.TriggerDecision) *kgo.Record {
	return record(m, schemas.DecisionsTopic, of.EventID, schemas.Decision{
		Schema: schemas.Version, EventID: of.EventID, SourceID: of.SourceID, Environment: of.Environment, Event: of.Event, Status: status,
		ReceivedAt: of.ReceivedAt, DecidedAt: of.ReceivedAt.Add(time.Second), Triggers: triggers,
	})
}

func (m *maker) run(of schemas.EventMeta, trigger string, request string) (*kgo.Record, schemas.Run) {
	run := schemas.Run{
		Schema: schemas.Version, RunID: schemas.RunID(trigger, of.EventID, 0).String(), Environment: of.Environment, SourceID: of.SourceID,
		Workflow: "order-confirmation", TriggerID: trigger, TriggerRevision: 3, EventID: of.EventID, ReceivedAt: of.ReceivedAt,
		CreatedAt: of.ReceivedAt.Add(time.Second), Request: json.RawMessage(request),
	}
	return record(m, schemas.RunsTopic, run.RunID, run), run
}

func (m *maker) delivery(of schemas.Run, attempt int, outcome schemas.DeliveryOutcome) *kgo.Record {
	return record(m, schemas.DeliveriesTopic, of.RunID, schemas.Delivery{
		Schema: schemas.Version, RunID: of.RunID, EventID: of.EventID, Environment: of.Environment, Workflow: of.Workflow, Attempt: attempt,
		Outcome: outcome, AttemptedAt: of.CreatedAt.Add(time.Duration(attempt) * time.Second), LatencyMs: 12.5, StatusCode: 503,
		Error: "no", Response: "busy", WorkflowRunID: "wr-1",
	})
}

func record[Record schemas.Record](m *maker, topic, key string, value Record) *kgo.Record {
	m.tb.Helper()
	encoded, err := schemas.Encode(value)
	if err != nil {
		m.tb.Fatal(err)
	}
	return &kgo.Record{Topic: m.kafka.Topic(topic), Key: []byte(key), Value: encoded}
}

// samples returns the sample events that the schemas are tested with.
func samples(tb testing.TB) []string {
	tb.Helper()
	file, err := os.ReadFile("../schemas/testdata/track-events.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	var bodies []string
	for line := range bytes.Lines(file) {
		bodies = append(bodies, string(bytes.TrimSuffix(line, []byte("\n"))))
	}
	return bodies
}

func produce(tb testing.TB, client *kgo.Client, records ...*kgo.Record) {
	tb.Helper()
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		tb.Fatal(err)
	}
}

func (m *maker) rejection(body string) *kgo.Record {
	m.events++
	at := midnight().Add(time.Duration(m.events) * time.Millisecond)
	id, err := schemas.NewEventID(at)
	if err != nil {
		m.tb.Fatal(err)
	}
	return record(m, schemas.RejectionsTopic, "src_shop", schemas.Rejection{
		Schema: schemas.Version, ID: id.String(), RejectedAt: at, SourceID: "src_shop", Environment: "production", StatusCode: 400,
		Code: "invalid_json", Message: "not JSON", Body: []byte(body),
	})
}
