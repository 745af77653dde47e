package eventlog_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/schemas"
)

// A newer release's record must get the row that release makes of it. Quarantine is for what nobody can read.
func TestRecordOfANewerVersionStopsItsPartitionAlone(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	good := r.many(300)
	foreign, _ := r.event(`{"type":"track","event":"A"}`)
	foreign.Headers = append(foreign.Headers, kgo.RecordHeader{Key: "schema", Value: []byte("2")})
	newer := &kgo.Record{Topic: r.kafka.Topic(schemas.DeliveriesTopic), Value: []byte(`{"schema":2}`)}
	produce(t, r.client, good...)
	produce(t, r.client, foreign, newer)
	more := r.many(300)
	produce(t, r.client, more...)
	var known []*kgo.Record
	for _, record := range append(good, more...) {
		if record.Partition != foreign.Partition || record.Offset < foreign.Offset {
			known = append(known, record)
		}
	}
	for range 2 { // the next one stops in the same place
		stop := r.start()
		eventually(t, func() error { return r.logs.has("upgrade this process first") })
		r.reaches(len(known), "SELECT count() FROM events")
		stop()
		r.exact("events", known)
		r.exact("quarantine", nil)
		r.requirePosition(foreign)
	}
}

// requirePosition expects the group not to have passed over a record.
func (r *rig) requirePosition(record *kgo.Record) {
	r.tb.Helper()
	offsets, err := kadm.NewClient(r.client).FetchOffsets(r.tb.Context(), r.kafka.Group("eventlog"))
	if err != nil {
		r.tb.Fatal(err)
	}
	if at, found := offsets.Lookup(record.Topic, record.Partition); !found || at.At != record.Offset {
		r.tb.Errorf("the position in %s is %d, the record lies at %d", record.Topic, at.At, record.Offset)
	}
}

func TestRebuildDoesNotPassOverANewerVersion(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	produce(t, r.client, &kgo.Record{Topic: r.kafka.Topic(schemas.DeliveriesTopic), Value: []byte(`{"schema":2}`)})
	_, err := r.rebuilding(t.Context(), eventlog.Rebuilding{Topics: []string{schemas.DeliveriesTopic}}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "upgrade this process first") {
		t.Errorf("got %v", err)
	}
}
