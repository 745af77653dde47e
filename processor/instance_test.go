package processor_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/processor"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// instance is a processor of its own name, with what it logs.
type instance struct {
	*processor.Processor
	log  *log
	stop func()
}

// The broker must not forget a member before the others have had the time of a batch to join again. Kafka keeps a member
// whose join it has not answered yet; kfake lets it expire, and then never answers: the client waits for 12 s, and starts
// over. What a member has left when it joins again is its session but for one heartbeat's distance, a third.
const (
	batchTime     = 10 * time.Millisecond
	commitTimeout = 2 * time.Second
	sessionTime   = (batchTime + commitTimeout) * 3 / 2 * 11 / 10
)

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

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// launch starts a processor under a name. It leaves its partitions to others soon after it stops.
func (w *world) launch(guarantee processor.Guarantee, name string) *instance {
	w.t.Helper()
	cluster := w.config
	cluster.ClientID = processorClient
	i := &instance{log: &log{written: make(chan struct{})}}
	var err error
	i.Processor, err = processor.New(processor.Config{
		Guarantee: guarantee, Instance: name, BatchRecords: 50, BatchTime: batchTime, BatchInterval: batchTime / 2, CommitTimeout: commitTimeout, SessionTime: w.session,
		DedupDir: w.dedupDir, DedupMemory: 8 << 20,
	}, cluster, w.reader, slog.New(slog.NewTextHandler(i.log, &slog.HandlerOptions{Level: slog.LevelDebug}))) // also what the client does
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	i.stop = sync.OnceFunc(func() {
		state := i.Readiness()
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("processor %s ended with: %v", name, err)
		}
		if w.t.Failed() {
			w.t.Logf("processor %s, whose partitions were %v:\n%s", name, state.Partitions, i.log)
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
	client, err := kgo.NewClient(append(w.config.Options(), kgo.ConsumeTopics(topics...), kgo.FetchMaxWait(50*time.Millisecond), kgo.MetadataMinAge(50*time.Millisecond), kgo.DisableClientMetrics(),
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

// newFaultyWorld is a world on a broker that can be made to misbehave.
func newFaultyWorld(t *testing.T, opts ...kfake.Opt) *world {
	t.Helper()
	wire := &wire{}
	fake, cluster := rig.Fake(t, append(opts, kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.ListenFn(wire.listen))...)
	w := newWorldOn(t, cluster)
	w.cluster, w.wire, w.session = fake, wire, sessionTime
	return w
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
