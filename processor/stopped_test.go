package processor_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// partitionOf returns the partition that each event lies in.
func (w *world) partitionOf(ids []string) map[string]int32 {
	in := map[string]int32{}
	for _, id := range ids {
		in[id] = w.decisions[id].Input.Partition
	}
	return in
}

func TestPartitionWithoutItsNextEventStopsAloneAndStaysSo(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newFaultyWorld(t)
		w.trigger(nil)
		a := w.launch(guarantee, "a")
		// Events with the message IDs of known ones go to the same partitions.
		known := events("m", 30)
		ids := w.post(known...)
		w.await(ids...)
		lies := w.partitionOf(ids)
		a.stop()
		lost := w.post(known...)
		if err := w.cluster.DeleteRecords(w.config.Topic(schemas.EventsTopic), 1, -1); err != nil {
			t.Fatal(err)
		}
		b := w.launch(guarantee, "a")
		b.log.await(t, "cannot be read on", 1)
		for i := range known {
			if lies[ids[i]] != 1 {
				ids = append(ids, lost[i])
			}
		}
		w.requireExactDecisions(ids)
		stopped := b.Stopped()
		if got := slices.Collect(maps.Keys(stopped)); len(got) != 1 || got[0] != 1 || !strings.Contains(stopped[1], "offset") {
			t.Errorf("stopped: %v", stopped)
		}
	})
}

// requireExactDecisions awaits the decisions and expects no others.
func (w *world) requireExactDecisions(ids []string) {
	w.t.Helper()
	w.await(ids...)
	if len(w.decisions) != len(ids) {
		w.t.Errorf("%d decisions of %d events", len(w.decisions), len(ids))
	}
}

func TestTopicCreatedAgainStopsItsPartitionsUntilTheNextStart(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newFaultyWorld(t)
		w.trigger(nil)
		a := w.launch(guarantee, "a")
		ids := w.post(events("before", 30)...)
		w.await(ids...)
		topic := w.config.Topic(schemas.EventsTopic)
		if err := w.cluster.DeleteTopic(topic); err != nil {
			t.Fatal(err)
		}
		if err := w.cluster.CreateTopic(topic, 3, nil); err != nil {
			t.Fatal(err)
		}
		a.log.await(t, "cannot be read on", 3)
		a.stop()
		if stopped := a.Stopped(); len(stopped) != 3 || !strings.Contains(stopped[0], "created again") {
			t.Errorf("stopped: %v", stopped)
		}
		w.reconnect()
		w.launch(guarantee, "a")
		ids = append(ids, w.post(events("after", 30)...)...)
		w.requireExactDecisions(ids)
	})
}

// reconnect gives the world a client that does not know the topic that was deleted.
func (w *world) reconnect() {
	w.t.Helper()
	w.client.Close()
	var err error
	w.client, err = kgo.NewClient(append(w.config.Options(),
		kgo.ConsumeTopics(w.config.Topic(schemas.DecisionsTopic), w.config.Topic(schemas.RunsTopic)), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.client.Close)
}
