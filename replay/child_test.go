package replay_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/replay"
	"github.com/millrace/millrace/rig/lifetime"
	"github.com/millrace/millrace/schemas"
)

// childVariable holds the order of a child: this binary again, running nothing but the role, so that it can be killed.
const childVariable = "REPLAY_TEST_CHILD"

// childOrder tells a child what to work on.
type childOrder struct {
	Kafka    kafka.Config
	Proxy    string // to ClickHouse
	Database string
}

// runRole runs the role until the process is killed.
func runRole(text string) error {
	var order childOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	config := eventlog.Config{
		DSN:   "http://embedded:8123/" + order.Database,
		Flush: eventlog.Flush{Rows: 1, Bytes: 1, Inserts: 1, Interval: time.Second},
		DialContext: func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", order.Proxy)
		},
	}
	conn, err := eventlog.Connect(ctx, config)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	reader, err := catalog.NewReader(order.Kafka, logger)
	if err != nil {
		return err
	}
	following := make(chan error, 1)
	go func() { following <- reader.Run(ctx) }()
	writer, err := catalog.NewWriter(order.Kafka, reader, logger, catalog.WriterOptions{})
	if err != nil {
		return err
	}
	defer writer.Close()
	role, err := replay.New(replay.Config{Concurrent: 2, LogPatience: 30 * time.Second, SessionTime: 6 * time.Second}, order.Kafka, reader, writer, query.New(conn), logger)
	if err != nil {
		return err
	}
	return errors.Join(role.Run(ctx), <-following)
}

// child runs the role in a process of its own and returns a function that kills it.
func (w *world) child() (kill func()) {
	w.tb.Helper()
	text, err := json.Marshal(childOrder{w.config, w.proxy(), w.logConfig().Database()})
	if err != nil {
		w.tb.Fatal(err)
	}
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), childVariable+"="+string(text))
	process.Stdout, process.Stderr = w.tb.Output(), w.tb.Output()
	lifetime.EndWithParent(process)
	if err := process.Start(); err != nil {
		w.tb.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		if err := process.Process.Kill(); err != nil {
			w.tb.Errorf("killing a child: %v", err)
		}
		_ = process.Wait() // it was killed
	})
	w.tb.Cleanup(kill)
	return kill
}

// proxy listens for children, whom the engine's socket would not reach.
func (w *world) proxy() string {
	w.tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.tb.Fatal(err)
	}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { w.forward(from) })
		}
	})
	w.tb.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	return listener.Addr().String()
}

func (w *world) forward(from net.Conn) {
	to, err := address.DialContext(context.Background(), "")
	if err != nil {
		_ = from.Close()
		return
	}
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			_, _ = pair[0].Close(), pair[1].Close()
		})
	}
	both.Wait()
}

// backfill writes the events that there are when a replay begins: MILLRACE_BACKFILL of them, or 20,000.
func (w *world) backfill() {
	w.tb.Helper()
	count, err := strconv.Atoi(cmp.Or(os.Getenv("MILLRACE_BACKFILL"), "20000"))
	if err != nil {
		w.tb.Fatal(err)
	}
	for sum := 0; sum < count; sum += 5000 { // the totals repeat
		batch := orders(5000)
		for i := range batch {
			batch[i].at = time.Duration(sum+i+1) * 50 * time.Millisecond // in the past, however many there are
		}
		w.send(batch...)
	}
}

// traffic writes events as they would come from ingest meanwhile, until ctx ends. No replay wants them.
func (w *world) traffic(ctx context.Context) error {
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for n := 0; ; n++ {
		record, _ := w.record(order{total: 1000, at: time.Since(w.start)}, n)
		if err := w.client.ProduceSync(ctx, record).FirstErr(); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// TestKilledInTheMiddleTheSetOfRunsIsExact kills processes of the role while live traffic goes on beside them.
func TestKilledInTheMiddleTheSetOfRunsIsExact(t *testing.T) {
	w := newWorld(t)
	w.backfill()
	w.decided()
	r := w.create(w.wanted(func(r *schemas.Replay) { r.Rate = float64(len(w.events)) / 8 }))
	kills := []func(){w.child(), w.child()}
	stopTraffic := w.background(w.traffic)
	for i, share := range []float64{0.2, 0.4} {
		want := int64(share * float64(len(w.events)))
		w.reaches(r.ID, want)
		kills[i]()
		kills = append(kills, w.child())
	}
	r = w.ends(r.ID, schemas.ReplayCompleted)
	stopTraffic()
	w.exactly(r, isBig)
	_, _, records := w.written(r.ID)
	t.Logf("%d records of %d runs", records, r.Result.Created)
}
