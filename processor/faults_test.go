package processor_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/processor"
)

func TestRolledBackBatchComesAgainInTheSameSession(t *testing.T) {
	w := newFaultyWorld(t)
	w.trigger(nil)
	a := w.launch(processor.ExactlyOnce, "a")
	ids := w.post(events("before", 30)...) // each partition gets some
	w.await(ids...)
	happened := w.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: 3})
	ids = append(ids, w.post(events("with", 30)...)...)
	happened()
	w.requireExact(processor.ExactlyOnce, ids)
	if a.log.count("rolled back, its events come again") == 0 || a.log.count("starting anew") > 0 {
		t.Error("the batch was not rolled back, or the session ended")
	}
}

// The client goes back to offset 0 when the first transaction is rolled back. Here there is none any more.
func TestFirstBatchThatIsRolledBackComesAgainThoughTheLogBeginsLater(t *testing.T) {
	w := newFaultyWorld(t)
	w.trigger(nil)
	w.post(events("gone", 30)...)
	for partition := range int32(3) {
		w.deleteEvents(partition)
	}
	happened := w.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: 1})
	ids := w.post(events("kept", 30)...)
	a := w.launch(processor.ExactlyOnce, "a")
	happened()
	w.requireExact(processor.ExactlyOnce, ids)
	if stopped := a.Stopped(); len(stopped) > 0 {
		t.Errorf("stopped: %v", stopped)
	}
}

func TestTransactionThatExpiresIsDecidedAgain(t *testing.T) {
	w := newFaultyWorld(t)
	w.trigger(nil)
	w.launch(processor.ExactlyOnce, "a")
	ids := w.post(events("before", 20)...)
	w.await(ids...)
	// A broker that gave a transaction up has raised the producer's epoch: this is what the late commit hears.
	happened := w.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.InvalidProducerEpoch})
	ids = append(ids, w.post(events("with", 20)...)...)
	happened()
	w.requireExact(processor.ExactlyOnce, ids)
}

func TestZombieOfTheSameNameIsFenced(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		w := newFaultyWorld(t)
		w.trigger(nil)
		zombie := w.launch(guarantee, "a")
		ids := w.post(events("before", 20)...)
		w.await(ids...)
		w.launch(guarantee, "a")
		ids = append(ids, w.post(events("with", 100)...)...)
		zombie.log.await(t, "starting anew", 1)
		ids = append(ids, w.post(events("both", 50)...)...)
		zombie.stop()
		ids = append(ids, w.post(events("after", 20)...)...)
		w.requireExact(guarantee, ids)
	})
}
