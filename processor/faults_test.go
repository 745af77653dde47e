package processor_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/schemas"
)

// instance is a processor of its own name, with what it logs.
type instance struct {
	*processor.Processor
	log  *log
	stop func()
}

// log keeps lines and lets tests wait for one.
type log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // closed and replaced with each write
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.written)
	l.written = make(chan struct{})
	return l.text.Write(line)
}

// await waits until the log has some text so many times.
func (l *log) await(t *testing.T, text string, times int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		found, written := strings.Count(l.text.String(), text), l.written
		l.mu.Unlock()
		if found >= times {
			return
		}
		select {
		case <-written:
		case <-timeout:
			t.Fatalf("%q was logged %d times, want %d:\n%s", text, found, times, l.text.String())
		}
	}
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// launch starts a processor under a name. It leaves its partitions to others soon after it stops.
func (w *world) launch(guarantee processor.Guarantee, name string) *instance {
	w.t.Helper()
	i := &instance{log: &log{written: make(chan struct{})}}
	var err error
	i.Processor, err = processor.New(processor.Config{
		Guarantee: guarantee, Instance: name, BatchRecords: 50, BatchTime: 10 * time.Millisecond, CommitTimeout: 2 * time.Second, SessionTime: time.Second,
	}, w.config, w.reader, slog.New(slog.NewTextHandler(i.log, nil)))
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	i.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("processor %s ended with: %v", name, err)
		}
		if w.t.Failed() {
			w.t.Logf("processor %s:\n%s", name, i.log.text.String())
		}
	})
	w.t.Cleanup(i.stop)
	return i
}

// events returns n events, each with a message ID of its own.
func events(prefix string, n int) []event {
	var made []event
	for i := range n {
		made = append(made, event{messageID: fmt.Sprint(prefix, i), data: fmt.Sprintf(`{"n":%d}`, i)})
	}
	return made
}

// requireExact expects a decision and a run for each of the events and for no other, once each under exactly_once, and
// with equal content where there are several. It reads both topics from the beginning: the client of the world may
// have read on a broker that was failing.
func (w *world) requireExact(guarantee processor.Guarantee, ids []string) {
	w.t.Helper()
	w.await(ids...)
	w.decisions, w.runs, w.copies = map[string]schemas.Decision{}, map[string]schemas.Run{}, map[string]int{}
	runs := w.readAll()
	for _, id := range ids {
		if w.copies[id] == 0 {
			w.t.Errorf("event %s has no decision", id)
		}
	}
	if !w.runsComplete() || len(w.decisions) != len(ids) || len(w.runs) != len(ids) {
		w.t.Errorf("%d decisions and %d runs of %d events", len(w.decisions), len(w.runs), len(ids))
	}
	doubled := runs - len(w.runs)
	for _, copies := range w.copies {
		doubled += copies - 1
	}
	if doubled > 0 && guarantee == processor.ExactlyOnce {
		w.t.Errorf("%d decisions and runs are there more than once", doubled)
	}
}

// readAll notes what is committed in both topics and returns the number of runs.
func (w *world) readAll() (runs int) {
	w.t.Helper()
	topics := []string{w.config.Topic(schemas.DecisionsTopic), w.config.Topic(schemas.RunsTopic)}
	client, err := kgo.NewClient(append(w.config.Options(), kgo.ConsumeTopics(topics...), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...) // a topic may end in a control record
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(w.t.Context(), topics...)
	if err != nil {
		w.t.Fatal(err)
	}
	missing := map[string]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			missing[fmt.Sprint(end.Topic, end.Partition)] = end.Offset
		}
	})
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for len(missing) > 0 {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			at := fmt.Sprint(record.Topic, record.Partition)
			if record.Offset+1 >= missing[at] {
				delete(missing, at)
			}
			if record.Attrs.IsControl() {
				return
			}
			w.note(record)
			if record.Topic == topics[1] {
				runs++
			}
		})
		if ctx.Err() != nil {
			w.t.Fatalf("cannot read up to %v", missing)
		}
	}
	return runs
}

// fault lets requests fail and returns a function that waits until they did.
func (w *world) fault(f kfake.Fault) (happened func()) {
	w.t.Helper()
	handle := w.cluster.Fault(f)
	return func() {
		w.t.Helper()
		ctx, cancel := context.WithTimeout(w.t.Context(), patience)
		defer cancel()
		if err := handle.Wait(ctx, max(f.Count, 1)); err != nil {
			w.t.Fatalf("the fault %s on %v did not happen: %v", f.Err, f.Keys, err)
		}
	}
}

func TestEveryEventIsDecidedOnceWhateverRequestFails(t *testing.T) {
	decisions := "test." + schemas.DecisionsTopic
	faults := map[string][]kfake.Fault{
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
	guarantees(t, func(t *testing.T, guarantee processor.Guarantee) {
		for name, list := range faults {
			if guarantee == processor.AtLeastOnce && list[0].Keys[0] == kmsg.EndTxn && len(list) == 1 && len(list[0].Keys) == 1 {
				continue // it has no transactions
			}
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				w.trigger(nil)
				w.launch(guarantee, "a")
				ids := w.post(events("before", 10)...)
				w.await(ids...)
				w.cluster.Fault(list...)
				ids = append(ids, w.post(events("with", 40)...)...)
				w.await(ids...)
				ids = append(ids, w.post(events("after", 10)...)...)
				w.requireExact(guarantee, ids)
			})
		}
	})
}

func TestRolledBackBatchComesAgainInTheSameSession(t *testing.T) {
	w := newWorld(t)
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
	w := newWorld(t)
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
	w := newWorld(t)
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
		w := newWorld(t)
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
		w := newWorld(t)
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
