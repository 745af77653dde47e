package processor_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// outside returns those of the events that lie in other partitions.
func (w *world) outside(partition int32, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return w.lies[id] == partition })
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
		a.stop()
		ids = append(ids, w.outside(1, w.post(known...))...)
		w.deleteEvents(1)
		b := w.launch(guarantee, "a")
		b.log.await(t, "cannot be read on", 1)
		w.requireExactDecisions(ids)
		requireStopped(t, b, 1)
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

func TestStoppedPartitionStopsTheInstanceThatTakesItOver(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
		w := newFaultyWorld(t)
		w.trigger(nil)
		a := w.launch(guarantee, "a")
		ids := w.post(events("before", 30)...)
		w.await(ids...)
		a.stop()
		ids = append(ids, w.outside(1, w.post(events("lost", 30)...))...)
		w.deleteEvents(1)
		a = w.launch(guarantee, "a")
		a.log.await(t, "cannot be read on", 1)
		ids = append(ids, w.outside(1, w.post(events("with", 30)...))...)
		w.await(ids...)
		b := w.launch(guarantee, "b")
		a.stop()
		b.log.await(t, "cannot be read on", 1)
		ids = append(ids, w.outside(1, w.post(events("after", 30)...))...)
		w.requireExactDecisions(ids)
		requireStopped(t, b, 1)
	})
}

// deleteEvents deletes what a partition of the events holds.
func (w *world) deleteEvents(partition int32) {
	w.t.Helper()
	if err := w.cluster.DeleteRecords(w.config.Topic(schemas.EventsTopic), partition, -1); err != nil {
		w.t.Fatal(err)
	}
}

// A topic that was created again, met by a process that never saw the old one, where the old one's positions are still
// there; or a log that lost its end. The position that is off by one is the hardest: the next event makes it a good one.
func TestPositionBeyondTheEndStopsThePartition(t *testing.T) {
	t.Parallel()
	for _, beyond := range []int64{1, 1000} {
		guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
			t.Parallel()
			w := newFaultyWorld(t)
			w.trigger(nil)
			ids := w.outside(1, w.post(events("before", 30)...))
			end := w.cluster.PartitionInfo(w.config.Topic(schemas.EventsTopic), 1).HighWatermark
			w.commitPosition(1, end+beyond)
			a := w.launch(guarantee, "a")
			a.log.await(t, "cannot be read on", 1)
			ids = append(ids, w.outside(1, w.post(events("after", 30)...))...)
			w.requireExactDecisions(ids)
			requireStopped(t, a, 1)
		})
	}
}

// commitPosition sets the group's position in a partition of the events.
func (w *world) commitPosition(partition int32, at int64) {
	w.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(w.config.Topic(schemas.EventsTopic), partition, at, -1)
	if err := kadm.NewClient(w.client).CommitAllOffsets(w.t.Context(), w.config.Group("processor"), offsets); err != nil {
		w.t.Fatal(err)
	}
}

// requireStopped expects the instance to have stopped one partition, because of its offset.
func requireStopped(t *testing.T, i *instance, partition int32) {
	t.Helper()
	stopped := i.Stopped()
	if got := slices.Collect(maps.Keys(stopped)); len(got) != 1 || got[0] != partition || !strings.Contains(stopped[partition], "offset") {
		t.Errorf("stopped: %v", stopped)
	}
}

func TestTopicCreatedAgainStopsItsPartitionsUntilTheNextStart(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
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
