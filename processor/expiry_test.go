package processor_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/processor"
)

// A processor that stands still between begin and end, as one that is frozen does, comes too late: the broker has given
// its transaction up. Here the broker's patience is made short instead, and it is the request that stands still.
func TestTransactionThatTheBrokerGaveUpIsDecidedAgain(t *testing.T) {
	t.Parallel()
	for _, late := range []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.EndTxn} {
		t.Run(late.Name(), func(t *testing.T) {
			t.Parallel()
			w := newFaultyWorld(t)
			w.trigger(nil)
			w.shortenTransactions(200 * time.Millisecond)
			a := w.launch(processor.ExactlyOnce, "a")
			ids := w.post(events("before", 20)...)
			w.await(ids...)
			w.holdUntilGivenUp(late, w.config.Group("processor")+".a")
			ids = append(ids, w.post(events("with", 20)...)...)
			a.log.await(t, "starting anew", 1) // the broker answers as to a stranger
			ids = append(ids, w.post(events("after", 20)...)...)
			w.requireExact(processor.ExactlyOnce, ids)
		})
	}
}

// shortenTransactions lets the broker give transactions up sooner than their producers ask for.
func (w *world) shortenTransactions(to time.Duration) {
	w.cluster.ControlKey(kmsg.InitProducerID.Int16(), func(request kmsg.Request) (kmsg.Response, error, bool) {
		request.(*kmsg.InitProducerIDRequest).TransactionTimeoutMillis = int32(to.Milliseconds())
		return nil, nil, false
	})
}

// holdUntilGivenUp lets the next request of a kind reach the broker once it has given the transaction up.
func (w *world) holdUntilGivenUp(key kmsg.Key, transaction string) {
	w.cluster.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.DropControl()
		w.cluster.SleepControl(func() { w.awaitGivenUp(transaction) })
		return nil, nil, false
	})
}

func (w *world) awaitGivenUp(transaction string) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	admin := kadm.NewClient(w.client)
	for ctx.Err() == nil {
		described, err := admin.DescribeTransactions(ctx, transaction)
		if err == nil && described[transaction].State != "Ongoing" {
			return
		}
	}
	w.t.Error("the broker did not give the transaction up")
}
