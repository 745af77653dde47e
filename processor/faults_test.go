package processor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

func TestEveryEventIsDecidedOnceWhateverRequestFails(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		for name, list := range faults(schemas.DecisionsTopic) {
			if guarantee == processor.AtLeastOnce && list[0].Keys[0] == kmsg.EndTxn && len(list) == 1 && len(list[0].Keys) == 1 {
				continue // it has no transactions
			}
			t.Run(name, func(t *testing.T) {
				w := newFaultyWorld(t)
				w.trigger(nil)
				w.launch(guarantee, "a")
				ids := w.post(events("before", 10)...)
				w.await(ids...)
				w.cluster.Fault(faults(w.config.Topic(schemas.DecisionsTopic))[name]...)
				ids = append(ids, w.post(events("with", 40)...)...)
				w.await(ids...)
				ids = append(ids, w.post(events("after", 10)...)...)
				w.requireExact(guarantee, ids)
			})
		}
	})
}

// faults are what requests can hear, by what it means. Decisions is the name of the topic that outputs go to.
func faults(decisions string) map[string][]kfake.Fault {
	return map[string][]kfake.Fault{
		"offset commit rolls back": {{Keys: []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.OffsetCommit}, Err: kerr.RebalanceInProgress, Count: 3}},
		"commit asks for an abort": {{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.TransactionAbortable}},
		"commit is unknown":        {{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError}},
		"producer is fenced":       {{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.ProducerFenced}},
		"epoch is invalid":         {{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.InvalidProducerEpoch}},
		"output is too large":      {{Keys: []kmsg.Key{kmsg.Produce}, Topic: decisions, Err: kerr.MessageTooLarge, Count: 2}},
		"output is refused":        {{Keys: []kmsg.Key{kmsg.Produce}, Topic: decisions, Err: kerr.InvalidRecord}},
		"output times out":         {{Keys: []kmsg.Key{kmsg.Produce}, Topic: decisions, Err: kerr.RequestTimedOut, Count: 2}},
		"output's leader is gone":  {{Keys: []kmsg.Key{kmsg.Produce}, Topic: decisions, Err: kerr.NotLeaderForPartition}},
		"coordinator is gone": {
			{Keys: []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.OffsetCommit, kmsg.AddOffsetsToTxn}, Err: kerr.NotCoordinator},
			{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.NotCoordinator},
		},
		"coordinator loads": {{Keys: []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: 3}},
		"member is unknown": {{Keys: []kmsg.Key{kmsg.Heartbeat, kmsg.TxnOffsetCommit, kmsg.OffsetCommit}, Err: kerr.UnknownMemberID, Count: 2}},
	}
}

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
		if err := w.cluster.DeleteRecords(w.config.Topic(schemas.EventsTopic), partition, -1); err != nil {
			t.Fatal(err)
		}
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

// TestEveryEventIsDecidedOnceWhileProcessorsComeAndGo also moves leaders and coordinators.
func TestEveryEventIsDecidedOnceWhileProcessorsComeAndGo(t *testing.T) {
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		w := newFaultyWorld(t)
		for range 2 {
			if _, _, err := w.cluster.AddNode(-1, 0); err != nil {
				t.Fatal(err)
			}
		}
		w.trigger(nil)
		w.launch(guarantee, "a")
		var ids []string
		var second *instance
		for round := range 12 {
			ids = append(ids, w.post(events(fmt.Sprint("r", round, "-"), 5+random.IntN(20))...)...)
			switch random.IntN(5) {
			case 0, 1:
				if second == nil {
					second = w.launch(guarantee, "b")
				} else {
					second.stop()
					second = nil
				}
			case 2:
				w.cluster.RehashCoordinators()
			case 3:
				w.cluster.ShufflePartitionLeaders()
			case 4:
				w.await(ids[:len(ids)/2]...)
			}
		}
		w.requireExact(guarantee, ids)
	})
}
