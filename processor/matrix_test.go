package processor_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// request is a kind of request that a processor sends, with errors that it can hear: some that it may ask again after,
// some that end its session.
type request struct {
	key    kmsg.Key
	only   processor.Guarantee // empty: under both
	topic  string              // in schemas; empty: any
	broker []kfake.Opt
	errors []*kerr.Error
}

func requests() []request {
	// Since Kafka 4.0 the broker itself adds partitions and offsets to a transaction.
	before40 := []kfake.Opt{kfake.MaxVersions(kversion.V3_8_0())}
	return []request{
		{key: kmsg.Produce, topic: schemas.DecisionsTopic, errors: []*kerr.Error{
			kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.MessageTooLarge, kerr.InvalidRecord,
		}},
		{key: kmsg.Fetch, topic: schemas.EventsTopic, errors: []*kerr.Error{kerr.NotLeaderForPartition, kerr.TopicAuthorizationFailed}},
		{key: kmsg.ListOffsets, topic: schemas.EventsTopic, errors: []*kerr.Error{kerr.NotLeaderForPartition, kerr.TopicAuthorizationFailed}},
		{key: kmsg.InitProducerID, only: processor.AtLeastOnce, errors: []*kerr.Error{
			kerr.CoordinatorLoadInProgress, kerr.ClusterAuthorizationFailed,
		}},
		{key: kmsg.InitProducerID, only: processor.ExactlyOnce, errors: []*kerr.Error{
			kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions, kerr.ClusterAuthorizationFailed, kerr.ProducerFenced,
		}},
		{key: kmsg.AddPartitionsToTxn, only: processor.ExactlyOnce, broker: before40, errors: []*kerr.Error{
			kerr.ConcurrentTransactions, kerr.InvalidProducerEpoch,
		}},
		{key: kmsg.AddOffsetsToTxn, only: processor.ExactlyOnce, broker: before40, errors: []*kerr.Error{
			kerr.CoordinatorLoadInProgress, kerr.InvalidProducerEpoch,
		}},
		{key: kmsg.TxnOffsetCommit, only: processor.ExactlyOnce, errors: []*kerr.Error{
			kerr.CoordinatorLoadInProgress, kerr.RebalanceInProgress, kerr.UnknownMemberID, kerr.FencedInstanceID, kerr.InvalidProducerEpoch,
		}},
		{key: kmsg.EndTxn, only: processor.ExactlyOnce, errors: []*kerr.Error{
			kerr.NotCoordinator, kerr.TransactionAbortable, kerr.UnknownServerError, kerr.ProducerFenced, kerr.InvalidProducerEpoch,
		}},
		{key: kmsg.OffsetCommit, only: processor.AtLeastOnce, errors: []*kerr.Error{
			kerr.CoordinatorLoadInProgress, kerr.RebalanceInProgress, kerr.UnknownMemberID, kerr.FencedInstanceID,
		}},
		{key: kmsg.OffsetFetch, errors: []*kerr.Error{kerr.UnstableOffsetCommit, kerr.GroupAuthorizationFailed}},
		{key: kmsg.FindCoordinator, errors: []*kerr.Error{kerr.CoordinatorNotAvailable, kerr.GroupAuthorizationFailed}},
		{key: kmsg.JoinGroup, errors: []*kerr.Error{kerr.CoordinatorNotAvailable, kerr.UnknownMemberID, kerr.GroupAuthorizationFailed}},
		{key: kmsg.SyncGroup, errors: []*kerr.Error{kerr.RebalanceInProgress, kerr.UnknownMemberID, kerr.GroupAuthorizationFailed}},
		{key: kmsg.Heartbeat, errors: []*kerr.Error{kerr.NotCoordinator, kerr.UnknownMemberID, kerr.FencedInstanceID}},
	}
}

func TestEveryEventIsDecidedOnceWhateverRequestFails(t *testing.T) {
	t.Parallel()
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		t.Parallel()
		for _, r := range requests() {
			if r.only != "" && r.only != guarantee {
				continue
			}
			t.Run(r.key.Name(), func(t *testing.T) {
				t.Parallel()
				r.fail(t, guarantee)
			})
		}
	})
}

// fail lets two requests fail in each way in turn, while a second processor comes: it asks everything there is to ask.
func (r request) fail(t *testing.T, guarantee processor.Guarantee) {
	t.Helper()
	w := newFaultyWorld(t, r.broker...)
	w.trigger(nil)
	w.launch(guarantee, "a")
	ids := w.post(events("before", 10)...)
	w.await(ids...)
	leave := func() {}
	for _, way := range r.ways(w) {
		t.Log(way.name)
		leave()
		wait := way.arrange()
		leave = w.launch(guarantee, "b").stop
		ids = append(ids, w.postUntil(way.name, wait)...)
		w.await(ids...)
	}
	ids = append(ids, w.post(events("after", 10)...)...)
	w.requireExact(guarantee, ids)
}

// way is a way in which a request can fail.
type way struct {
	name    string
	arrange func() (wait func(context.Context) error)
}

func (r request) ways(w *world) []way {
	var ways []way
	topic := r.topic
	if topic != "" {
		topic = w.config.Topic(topic)
	}
	for _, err := range r.errors {
		ways = append(ways, way{err.Message, func() func(context.Context) error {
			handle := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{r.key}, Topic: topic, Err: err, Count: 2})
			return func(ctx context.Context) error { return handle.Wait(ctx, 2) }
		}})
	}
	for _, mode := range []loss{requestIsLost, answerIsLost} {
		ways = append(ways, way{string(mode), func() func(context.Context) error { return w.wire.lose(r.key, mode, 2) }})
	}
	return ways
}

// postUntil posts a few events again and again until what is waited for has happened.
func (w *world) postUntil(name string, wait func(context.Context) error) []string {
	w.t.Helper()
	var ids []string
	began := time.Now()
	for round := 0; !isSoon(w.t, wait); round++ {
		if time.Since(began) > patience {
			w.t.Fatalf("the requests that should fail with %q were not made", name)
		}
		ids = append(ids, w.post(events(fmt.Sprint(name, round, "-"), 5)...)...)
	}
	return ids
}

// isSoon waits for a moment.
func isSoon(t *testing.T, wait func(context.Context) error) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	return wait(ctx) == nil
}
