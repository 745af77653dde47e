package dispatcher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig/lifetime"
	"github.com/millrace/millrace/schemas"
)

// The dispatcher as a process of its own, for tests that kill it: this test binary, run again with its settings in a
// variable.

const childVariable = "DISPATCHER_CHILD"

type childSettings struct {
	Config dispatcher.Config
	Kafka  kafka.Config
	API    string
}

func (s childSettings) Destination(string) (dispatcher.Destination, bool) {
	return dispatcher.Destination{BaseURL: s.API, APIKey: "sk_canary"}, true
}

func runChild(settings string) int {
	var child childSettings
	if err := json.Unmarshal([]byte(settings), &child); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	role, err := dispatcher.New(child.Config, child.Kafka, child, logger)
	if err == nil {
		err = role.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// fleet is some dispatchers that are processes.
type fleet struct {
	p        *pipeline
	settings []childSettings
	running  []*exec.Cmd
}

func (p *pipeline) startFleet(size int, config dispatcher.Config, api string) *fleet {
	f := &fleet{p: p, running: make([]*exec.Cmd, size)}
	for i := range size {
		config.DeliveredDir = p.t.TempDir()
		f.settings = append(f.settings, childSettings{config, p.kafka, api})
		f.start(i)
	}
	p.t.Cleanup(func() {
		for i := range f.running {
			f.kill(i)
		}
	})
	return f
}

func (f *fleet) start(i int) {
	f.p.t.Helper()
	settings, err := json.Marshal(f.settings[i])
	if err != nil {
		f.p.t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+string(settings))
	child.Stdout, child.Stderr = f.p.log, f.p.log
	lifetime.EndWithParent(child)
	if err := child.Start(); err != nil {
		f.p.t.Fatal(err)
	}
	f.running[i] = child
}

func (f *fleet) kill(i int) {
	_ = f.running[i].Process.Kill()
	_ = f.running[i].Wait()
}

// strictAPI starts each run once, as an API that knows idempotency keys, and counts what came after that.
type strictAPI struct {
	mu       sync.Mutex
	bodies   map[string]string
	repeated int // calls for a run that was answered 200 before
	changed  int // of them, those with other bytes
}

func (a *strictAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	run := r.Header.Get("Idempotency-Key")
	if rand.IntN(100) < 3 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if before, known := a.bodies[run]; known {
		a.repeated++
		if before != string(body) {
			a.changed++
		}
	}
	a.bodies[run] = string(body)
	_, _ = fmt.Fprintf(w, `{"workflow_run_id":"wf-%s"}`, run)
}

func (a *strictAPI) started() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.bodies)
}

// TestDispatchersThatAreKilledStartEveryRunOnce kills one of two dispatchers every few seconds while runs come in. What
// a kill may cost is the calls that were under way, not what the last commit did not cover.
func TestDispatchersThatAreKilledStartEveryRunOnce(t *testing.T) {
	duration := 8 * time.Second
	if text := os.Getenv("MILLRACE_CHAOS_DURATION"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	p := newPipeline(t, 6, func(call) reply { return ok() })
	api := &strictAPI{bodies: map[string]string{}}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	config := quick()
	config.SessionTime, config.CommitInterval, config.RetryTiers = 6*time.Second, time.Second, shortTiers()
	dispatchers := p.startFleet(2, config, server.URL)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))

	runs, kills := 0, 0
	tick, kill, end := time.NewTicker(10*time.Millisecond), time.NewTicker(3*time.Second), time.After(duration)
	defer tick.Stop()
	defer kill.Stop()
	for isOver := false; !isOver; {
		select {
		case <-tick.C:
			for range 20 {
				p.writeLater(int32(runs%6), fmt.Sprint("user-", runs%500), newRun(fmt.Sprint("r", runs)))
				runs++
			}
		case <-kill.C:
			i := chance.IntN(2)
			dispatchers.kill(i)
			dispatchers.start(i)
			kills++
		case <-end:
			isOver = true
		}
	}
	if err := p.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(45*time.Second, func() bool { return api.started() == runs }) // sessions of the dead end, and breakers close
	p.eventually("all is committed", func() bool {
		var sum int64
		for _, at := range p.committed() {
			sum += at
		}
		return sum == int64(runs)
	})
	t.Logf("%d runs, %d kills, %d started, %d sent again after they had been taken", runs, kills, api.started(), api.repeated)
	if api.started() != runs || api.changed > 0 || api.repeated > 100*kills {
		t.Errorf("%d of %d runs started, %d sent again, %d with other bytes\nlog:\n%s", api.started(), runs, api.repeated, api.changed, p.log)
	}
	var records []schemas.Delivery
	for _, deliveries := range p.deliveries(runs) {
		records = append(records, deliveries...)
	}
	if len(records) < runs {
		t.Errorf("%d delivery records for %d runs", len(records), runs)
	}
}

func waitFor(most time.Duration, holds func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(most)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			return
		}
	}
}
