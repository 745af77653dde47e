package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/bench/sample"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// maker makes the records that become of events, one millisecond apart and all of them within the last hours.
type maker struct {
	cluster kafka.Config
	samples []sample.Sample
	began   time.Time
	number  int
}

func (m *maker) event() (*kgo.Record, schemas.EventMeta, error) {
	chosen := m.samples[m.number%len(m.samples)]
	received := m.began.Add(time.Duration(m.number) * time.Millisecond)
	m.number++
	id, err := schemas.NewEventID(received)
	if err != nil {
		return nil, schemas.EventMeta{}, err
	}
	meta := schemas.EventMeta{
		EventID: id.String(), SourceID: "src_shop", Environment: "production", Event: chosen.Track.Event,
		MessageID: fmt.Sprintf("message-%012d", m.number), ReceivedAt: received,
	}
	key := meta.Key()
	return &kgo.Record{
		Topic: m.cluster.Topic(schemas.EventsTopic), Key: key[:], Timestamp: received, Headers: schemas.EventHeaders[kgo.RecordHeader](meta),
		Value: bytes.ReplaceAll(chosen.Body, []byte(chosen.Track.MessageID), []byte(meta.MessageID)),
	}, meta, nil
}

// story returns the event with its decision, its run, and the delivery of that.
func (m *maker) story() ([]*kgo.Record, error) {
	event, meta, err := m.event()
	if err != nil {
		return nil, err
	}
	properties := m.samples[(m.number-1)%len(m.samples)].Body
	run := schemas.Run{
		Schema: schemas.Version, RunID: schemas.RunID("trg_welcome", meta.EventID, 0).String(), Environment: meta.Environment, SourceID: meta.SourceID,
		Workflow: "welcome", TriggerID: "trg_welcome", TriggerRevision: 3, EventID: meta.EventID, ReceivedAt: meta.ReceivedAt,
		CreatedAt: meta.ReceivedAt.Add(20 * time.Millisecond), Request: json.RawMessage(fmt.Sprintf(`{"recipients":["user-%d"],"data":%s}`, m.number%5000, properties)),
	}
	records := []*kgo.Record{event}
	for _, add := range []func() (*kgo.Record, error){
		func() (*kgo.Record, error) {
			return encoded(m, schemas.DecisionsTopic, meta.EventID, schemas.Decision{
				Schema: schemas.Version, EventID: meta.EventID, SourceID: meta.SourceID, Environment: meta.Environment, Event: meta.Event,
				Status: schemas.Processed, ReceivedAt: meta.ReceivedAt, DecidedAt: run.CreatedAt, Triggers: []schemas.TriggerDecision{
					{TriggerID: "trg_welcome", Revision: 3, Workflow: "welcome", Outcome: schemas.Matched, RunID: run.RunID},
					{TriggerID: "trg_vip", Revision: 1, Workflow: "vip", Outcome: schemas.ConditionFalse, Reason: "the condition is false"},
				},
			})
		},
		func() (*kgo.Record, error) { return encoded(m, schemas.RunsTopic, run.RunID, run) },
		func() (*kgo.Record, error) {
			return encoded(m, schemas.DeliveriesTopic, run.RunID, schemas.Delivery{
				Schema: schemas.Version, RunID: run.RunID, EventID: run.EventID, Environment: run.Environment, Workflow: run.Workflow, Attempt: 1,
				Outcome: schemas.Delivered, AttemptedAt: run.CreatedAt.Add(5 * time.Millisecond), LatencyMs: float64(m.number%1000) / 10, StatusCode: 200,
				WorkflowRunID: schemas.RunID("workflow", run.RunID, 0).String(),
			})
		},
	} {
		record, err := add()
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func encoded[Record schemas.Record](m *maker, topic, key string, value Record) (*kgo.Record, error) {
	bytes, err := schemas.Encode(value)
	return &kgo.Record{Topic: m.cluster.Topic(topic), Key: []byte(key), Value: bytes}, err
}
