package dispatcher

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// recorder writes what became of runs. A job stays unfinished until Kafka has acknowledged each record about it; a
// record that Kafka refuses ends the role, because going on would commit a run whose log has a hole.
type recorder struct {
	client     *kgo.Client
	delivered  *delivered
	deliveries string // topic
	dead       string // topic
	topic      func(name string) string
	fail       context.CancelCauseFunc
}

func (r recorder) delivery(j *job, delivery schemas.Delivery) {
	if delivery.Outcome == schemas.Delivered {
		r.delivered.expect(delivery.RunID)
	}
	r.produce(j, &kgo.Record{
		Topic: r.deliveries, Key: []byte(j.run.RunID), Value: schemas.AppendDelivery(nil, &delivery),
		Headers: []kgo.RecordHeader{schemas.DeliveryHeader[kgo.RecordHeader](delivery.Outcome)},
	}, nil)
}

func (r recorder) deadLetter(j *job, last schemas.Delivery, attempts []schemas.Attempt) {
	value, err := schemas.Encode(schemas.DeadLetter{Schema: schemas.Version, Run: j.run, Key: j.key, Last: last, Attempts: attempts})
	r.produce(j, &kgo.Record{Topic: r.dead, Key: []byte(j.run.RunID), Value: value}, err)
}

// parked puts a run into a retry topic: its record as it was, and in the headers what has become of it so far. The runs
// of one workflow go into one partition, so that a slow one waits behind itself.
func (r recorder) parked(j *job, topic string, meta schemas.RunMeta) {
	headers, err := schemas.RunHeaders[kgo.RecordHeader](meta)
	headers = schemas.WithTrace(headers, schemas.ReadTrace(j.record.Headers))
	key := j.run.Environment + "/" + j.run.Workflow
	r.produce(j, &kgo.Record{Topic: r.topic(topic), Key: []byte(key), Value: j.record.Value, Headers: headers}, err)
}

func (r recorder) produce(j *job, record *kgo.Record, err error) {
	if err != nil {
		r.fail(fmt.Errorf("writing to %s about run %s: %w", record.Topic, j.run.RunID, err))
		return
	}
	p := j.partition
	j.hold()
	p.work.Add(1)
	r.client.Produce(p.calls, record, func(record *kgo.Record, err error) {
		defer p.work.Done()
		if err == nil {
			j.release()
			return
		}
		r.delivered.forget(j.run.RunID)
		if p.calls.Err() == nil {
			r.fail(unwritten(fmt.Errorf("writing to %s about run %s: %w", record.Topic, j.run.RunID, err)))
		}
	})
}
