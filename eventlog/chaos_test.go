package eventlog_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	backend "github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// chaosRate is how many events are written a second, each with a decision, a run and a delivery.
const chaosRate = 500

// TestWriterKilledEverySecondLeavesEachRecordOnce kills the writer's process again and again under load, stops the engine in
// between, and compares counts and checksums of each partition with what Kafka acknowledged. MILLRACE_CHAOS_DURATION is
// how long (12s), MILLRACE_CHAOS_SEED repeats a run's choices.
func TestWriterKilledEverySecondLeavesEachRecordOnce(t *testing.T) {
	length, seed := chaosSettings(t)
	t.Logf("repeat with MILLRACE_CHAOS_SEED=%d MILLRACE_CHAOS_DURATION=%s", seed, length)
	random := rand.New(rand.NewPCG(seed, 0))
	engine := newStoppable(t)
	r := newRig(t, engine.engine)
	r.config.DialContext = engine.dial
	r.conn = connect(t, r.config)
	writer := &writerProcess{rig: r, addr: engine.listen(t)}
	t.Cleanup(writer.kill)
	load := r.startChaosLoad()
	began, uncommitted := time.Now(), 0
	away := min(30*time.Second, length/3)
	for kills := 0; time.Since(began) < length; kills++ {
		writer.start()
		if kills > 0 && !engine.wasStopped && time.Since(began) > length/3 {
			engine.stopFor(t, away)
		}
		pause(t, time.Second/2+time.Duration(random.Int64N(int64(time.Second))))
		writer.kill()
		if r.ask("SELECT uniqExact(event_id) FROM events") > uint64(r.committed()) {
			uncommitted++
		}
	}
	produced := load.stop()
	writer.start()
	for topic, sums := range produced {
		r.catchesUp(topic, sums)
	}
	writer.end()
	t.Logf("%d kills, of which %d left rows that were not committed; the engine was away for %s; %d records", writer.kills, uncommitted, away, load.records.Load())
	for topic, sums := range produced {
		if got := r.verified(topic); !got.IsExact() || got.Waiting != 0 || got.Records != sums.count() {
			t.Errorf("%s: %+v, want %d records", topic, got, sums.count())
		}
		r.requireSums(topic, sums)
	}
}

func chaosSettings(t *testing.T) (time.Duration, uint64) {
	t.Helper()
	length, seed := 12*time.Second, uint64(time.Now().UnixNano())
	var err error
	if text := os.Getenv("MILLRACE_CHAOS_DURATION"); text != "" {
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("MILLRACE_CHAOS_SEED"); text != "" {
		if _, err = fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	return length, seed
}

// pause lets time pass: when a fault comes is what a chaos test chooses.
func pause(t *testing.T, length time.Duration) {
	t.Helper()
	select {
	case <-time.After(length):
	case <-t.Context().Done():
		t.Fatal("the test has ended")
	}
}

// stoppable is an engine of a test's own that can be away, and that other processes reach.
type stoppable struct {
	*engine
	wasStopped bool

	mu sync.Mutex // guards engine.server
}

func newStoppable(t *testing.T) *stoppable {
	t.Helper()
	s := &stoppable{}
	var err error
	if s.engine, err = startEngine(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.server.Close() })
	return s
}

// stopFor stops the engine and starts it again on its data.
func (s *stoppable) stopFor(t *testing.T, length time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wasStopped = true
	s.server.Close()
	pause(t, length)
	again, err := startEngine(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.server = again.server
}

func (s *stoppable) dial(ctx context.Context, addr string) (net.Conn, error) {
	if !s.mu.TryLock() {
		return nil, fmt.Errorf("the engine is away")
	}
	server := s.server
	s.mu.Unlock()
	return server.DialContext(ctx, addr)
}

// listen lets other processes reach the engine at the address that it returns.
func (s *stoppable) listen(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.pass(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return listener.Addr().String()
}

// pass copies between a connection and the engine until one of them ends.
func (s *stoppable) pass(conn net.Conn) {
	defer conn.Close()
	engine, err := s.dial(context.Background(), "")
	if err != nil {
		return
	}
	defer engine.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, engine)
		_ = conn.Close()
	})
	_, _ = io.Copy(engine, conn)
	_ = engine.Close()
	back.Wait()
}

// writerProcess is `millrace eventlog` as a process of its own.
type writerProcess struct {
	rig     *rig
	addr    string
	kills   int
	command *exec.Cmd
}

func (w *writerProcess) start() {
	t := w.rig.tb
	t.Helper()
	w.command = exec.Command(backend.Binary(t), "eventlog", "--kafka-brokers="+w.rig.kafka.Brokers[0], "--kafka-topic-prefix="+w.rig.kafka.TopicPrefix,
		"--clickhouse-dsn=http://"+w.addr+"/"+w.rig.config.Database()+"?compress=none", "--clickhouse-instance-id=writer",
		"--clickhouse-flush-rows=500", "--clickhouse-flush-interval=50ms", "--admin-listen=") // so that most kills hit an insert
	w.command.Stdout, w.command.Stderr = w.rig.logs, w.rig.logs
	w.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process as a crash does, if there is one.
func (w *writerProcess) kill() {
	if w.command == nil {
		return
	}
	w.kills++
	_ = w.command.Process.Kill()
	_ = w.command.Wait()
	w.command = nil
}

// end asks the process to end, which it must do without an error.
func (w *writerProcess) end() {
	w.rig.tb.Helper()
	if err := w.command.Process.Signal(os.Interrupt); err != nil {
		w.rig.tb.Fatal(err)
	}
	if err := w.command.Wait(); err != nil {
		w.rig.tb.Errorf("the writer ended with %v\n%s", err, w.rig.logs)
	}
	w.command = nil
}

// sums is what a partition of a topic holds.
type sums map[int32]sum

type sum struct{ count, offsets, checksum int64 }

func (s sums) count() (all int64) {
	for _, sum := range s {
		all += sum.count
	}
	return all
}

// chaosLoad produces until it is stopped.
type chaosLoad struct {
	cancel  context.CancelFunc
	ended   chan struct{}
	records atomic.Int64

	mu       sync.Mutex // guards produced
	produced map[string]sums
}

func (r *rig) startChaosLoad() *chaosLoad {
	ctx, cancel := context.WithCancel(context.Background())
	load := &chaosLoad{cancel: cancel, ended: make(chan struct{}), produced: make(map[string]sums)}
	r.tb.Cleanup(func() { load.stop() })
	maker := &maker{tb: r.tb, kafka: r.kafka}
	go func() {
		defer close(load.ended)
		pace := rate.NewLimiter(chaosRate, 50)
		for pace.Wait(ctx) == nil {
			event, meta := maker.event(fmt.Sprintf(`{"type":"track","event":"A","messageId":"m-%d"}`, maker.events))
			run, made := maker.run(meta, "trg_1", `{"recipients":["u"]}`)
			for _, record := range []*kgo.Record{event, maker.decision(meta, schemas.Processed), run, maker.delivery(made, 1, schemas.Delivered)} {
				r.client.Produce(context.Background(), record, load.note)
			}
		}
		_ = r.client.Flush(context.Background()) // what fails is not noted
	}()
	return load
}

func (l *chaosLoad) note(record *kgo.Record, err error) {
	if err != nil {
		return
	}
	l.records.Add(1)
	topic := record.Topic[strings.LastIndexByte(record.Topic, '.')+1:]
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.produced[topic] == nil {
		l.produced[topic] = make(sums)
	}
	sum := l.produced[topic][record.Partition]
	sum.count++
	sum.offsets += record.Offset
	if topic == schemas.EventsTopic {
		sum.checksum += int64(crc32.ChecksumIEEE(record.Value))
	}
	l.produced[topic][record.Partition] = sum
}

func (l *chaosLoad) stop() map[string]sums {
	l.cancel()
	<-l.ended
	return l.produced
}

// catchesUp waits until everything of a topic is written.
func (r *rig) catchesUp(topic string, want sums) {
	r.tb.Helper()
	eventually(r.tb, func() error { return r.allCommitted(topic, int(want.count())) })
}

// requireSums compares a table with what Kafka acknowledged.
func (r *rig) requireSums(table string, want sums) {
	r.tb.Helper()
	checksum := "0"
	if table == schemas.EventsTopic {
		checksum = "toInt64(sum(CRC32(body)))"
	}
	for partition, want := range want {
		var got sum
		err := r.conn.QueryRow(r.tb.Context(), fmt.Sprintf("SELECT toInt64(count()), toInt64(sum(offset)), toInt64(%s) FROM %s FINAL WHERE partition = %d", checksum, table, partition)).
			Scan(&got.count, &got.offsets, &got.checksum)
		if err != nil || got != want {
			r.tb.Errorf("%s, partition %d: %+v, want %+v, %v", table, partition, got, want, err)
		}
	}
}
