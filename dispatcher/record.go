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
	deliveries string // topic
	dead       string // topic
	fail       context.CancelCauseFunc
}

func (r recorder) delivery(j *job, delivery schemas.Delivery) {
	value, err := schemas.Encode(delivery)
	r.produce(j, r.deliveries, value, err)
}

func (r recorder) deadLetter(j *job, last schemas.Delivery) {
	value, err := schemas.Encode(schemas.DeadLetter{Schema: schemas.Version, Run: j.run, Last: last})
	r.produce(j, r.dead, value, err)
}

func (r recorder) produce(j *job, topic string, value []byte, err error) {
	if err != nil {
		r.fail(fmt.Errorf("writing to %s about run %s: %w", topic, j.run.RunID, err))
		return
	}
	p := j.partition
	j.hold()
	p.work.Add(1)
	record := &kgo.Record{Topic: topic, Key: []byte(j.run.RunID), Value: value}
	r.client.Produce(p.calls, record, func(_ *kgo.Record, err error) {
		defer p.work.Done()
		switch {
		case err == nil:
			j.release()
		case p.calls.Err() == nil:
			r.fail(fmt.Errorf("writing to %s about run %s: %w", topic, j.run.RunID, err))
		}
	})
}
