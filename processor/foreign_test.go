package processor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// newer makes the record of an event one of a version that this release does not know.
func newer(record *kgo.Record) *kgo.Record {
	record.Headers = append(record.Headers, kgo.RecordHeader{Key: "schema", Value: []byte("2")})
	return record
}

// postAround posts events, of which the one in the middle is of a newer version. It returns that record, and the IDs of
// the events that do not lie behind it.
func (w *world) postAround(prefix string) (foreign *kgo.Record, ids []string) {
	w.t.Helper()
	const n = 40
	var all []string
	var records []*kgo.Record
	for i, e := range events(prefix, n) {
		id, record := w.record(e)
		if i == n/2 {
			newer(record)
		}
		all, records = append(all, id), append(records, record)
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	foreign = records[n/2]
	for i, record := range records {
		w.lies[all[i]] = record.Partition
		if record.Partition != foreign.Partition || record.Offset < foreign.Offset {
			ids = append(ids, all[i])
		}
	}
	return foreign, ids
}

// position returns the group's position in a partition of the events.
func (w *world) position(partition int32) int64 {
	w.t.Helper()
	offsets, err := kadm.NewClient(w.client).FetchOffsets(w.t.Context(), w.config.Group("processor"))
	if err != nil {
		w.t.Fatal(err)
	}
	at, _ := offsets.Lookup(w.config.Topic(schemas.EventsTopic), partition)
	return at.At
}

func TestEventOfANewerVersionStopsItsPartitionAlone(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
		w := newWorld(t)
		w.trigger(nil)
		ids := w.post(events("before", 30)...)
		foreign, known := w.postAround("with")
		ids = append(ids, known...)
		a := w.launch(guarantee, "a")
		w.requireExactDecisions(ids)
		// The others go on, commit after commit, and none of these passes over the event.
		for range 3 {
			ids = append(ids, w.outside(foreign.Partition, w.post(events("known", 30)...))...)
			w.await(ids...)
		}
		w.requireExactDecisions(ids)
		state := a.Readiness()
		if reason := state.Partitions[foreign.Partition]; !state.Ready || !strings.Contains(reason, "upgrade this process first") {
			t.Errorf("%+v", state)
		}
		a.stop()
		if at := w.position(foreign.Partition); at != foreign.Offset {
			t.Errorf("the position is %d, the event lies at %d", at, foreign.Offset)
		}
		// Whoever takes the partition over finds the event, and one that does not know it either stops there, too.
		b := w.launch(guarantee, "b")
		b.log.await(t, "cannot be read on", 1)
		ids = append(ids, w.outside(foreign.Partition, w.post(events("after", 30)...))...)
		w.requireExactDecisions(ids)
		b.stop()
		if at := w.position(foreign.Partition); at != foreign.Offset {
			t.Errorf("the position is %d, the event lies at %d", at, foreign.Offset)
		}
	})
}

// An older release that takes over again does not know the message IDs of what the newer one has read: it would take
// repeats for new.
func TestEventOfANewerVersionWithinTheWindowStopsItsPartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.trigger(nil)
	w.post(events("before", 30)...)
	foreign, _ := w.postAround("with")
	ends, err := kadm.NewClient(w.client).ListEndOffsets(t.Context(), w.config.Topic(schemas.EventsTopic))
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(end kadm.ListedOffset) { w.commitPosition(end.Partition, end.Offset) })
	a := w.launch(processor.AtLeastOnce, "a")
	a.log.await(t, "cannot be read on", 1)
	ids := w.outside(foreign.Partition, w.post(events("after", 30)...))
	w.requireExactDecisions(ids)
	if reason := a.Stopped()[foreign.Partition]; !strings.Contains(reason, "upgrade this process first") {
		t.Errorf("stopped: %q", reason)
	}
}

func TestCatalogOfANewerVersionHoldsDecisionsUntilItIsUnderstood(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
		w := newWorld(t)
		made := w.trigger(nil)
		a := w.launch(guarantee, "a")
		ids := w.post(events("before", 30)...)
		w.await(ids...)
		key := "trigger/" + made.ID
		w.catalogRecord(key, fmt.Sprintf(`{"schema":2,"trigger":{"id":%q,"event":{"any_of":["Order","Refund"]}}}`, made.ID))
		held := w.post(events("held", 30)...)
		a.log.await(t, "no event is decided on", 1)
		if state := a.Readiness(); state.Ready || len(state.Waiting) != 1 || !strings.Contains(state.Waiting[0], key) {
			t.Errorf("%+v", state)
		}
		b := w.launch(guarantee, "b") // one that starts does not even know the trigger
		b.log.await(t, "no event is decided on", 1)
		made.Workflow, made.Revision = "changed", made.Revision+1
		value, err := schemas.Encode(schemas.CatalogEntry{Schema: schemas.Version, Trigger: &made})
		if err != nil {
			t.Fatal(err)
		}
		w.catalogRecord(key, string(value))
		ids = append(ids, held...)
		w.requireExactDecisions(ids)
		for _, id := range held {
			if workflow := w.decisions[id].Triggers[0].Workflow; workflow != "changed" {
				t.Fatalf("event %s was decided by the catalog of before: %s", id, workflow)
			}
		}
	})
}

// catalogRecord writes to the catalog as another release does, and waits until it is read.
func (w *world) catalogRecord(key, value string) {
	w.t.Helper()
	record := &kgo.Record{Topic: w.config.Topic(schemas.CatalogTopic), Key: []byte(key), Value: []byte(value)}
	if err := w.client.ProduceSync(w.t.Context(), record).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	if err := w.reader.Ready(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}
