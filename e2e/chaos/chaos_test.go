// Package chaos runs processors under load while they are killed, frozen, added and removed, and the broker with them,
// and then compares what they wrote with an independent computation over the events topic. MILLRACE_CHAOS_DURATION is
// how long (8s), MILLRACE_CHAOS_SEED repeats a run's choices.
package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
)

// patience bounds how long the processors may take to finish what is left; it is no expectation.
const patience = 3 * time.Minute

// sessionTime is after how long a processor that does not answer loses its partitions; frozen is longer.
const (
	sessionTime = 6 * time.Second // the least that Kafka allows by default
	frozen      = 8 * time.Second
)

func TestChaosLeavesTheOutputExactlyRight(t *testing.T) {
	length, seed := settings(t)
	t.Logf("repeat with MILLRACE_CHAOS_SEED=%d MILLRACE_CHAOS_DURATION=%s", seed, length)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t)
	fleet := newFleet(t, w)
	fleet.start("a")
	fleet.start("b")
	load := w.startLoad(rand.New(rand.NewPCG(seed, 1)))
	faults := map[string]int{}
	for deadline := time.Now().Add(length); time.Now().Before(deadline); {
		faults[fleet.harm(random)]++
		w.pause(time.Duration(500+random.IntN(1500)) * time.Millisecond)
	}
	acknowledged := load.stop()
	t.Logf("%d events, faults: %v", len(acknowledged), faults)
	events := w.events()
	requireAcknowledged(t, events, acknowledged)
	w.awaitDecisions(len(events))
	fleet.stop()
	w.requireRight(events)
}

func settings(t *testing.T) (time.Duration, uint64) {
	t.Helper()
	length, seed := 8*time.Second, uint64(time.Now().UnixNano())
	var err error
	if text := os.Getenv("MILLRACE_CHAOS_DURATION"); text != "" {
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("MILLRACE_CHAOS_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return length, seed
}

// harm does one thing to the processors or their broker and says what.
func (f *fleet) harm(random *rand.Rand) string {
	name := []string{"a", "b"}[random.IntN(2)]
	switch random.IntN(5) {
	case 0:
		f.kill(name)
		f.start(name)
		return "kill"
	case 1:
		f.kill(name)
		f.world.pause(time.Duration(random.IntN(int(frozen))))
		f.start(name)
		return "kill and stay away"
	case 2:
		f.freeze(name, frozen)
		return "freeze"
	case 3:
		f.start("c")
		f.world.pause(time.Duration(random.IntN(4000)) * time.Millisecond)
		f.end("c")
		return "join and leave"
	}
	if rig.BounceBroker(f.t) {
		return "broker killed"
	}
	return "nothing"
}

// requireAcknowledged expects each event whose write was acknowledged in the topic.
func requireAcknowledged(t *testing.T, events []logged, acknowledged map[string]bool) {
	t.Helper()
	for _, e := range events {
		delete(acknowledged, e.eventID)
	}
	if len(acknowledged) > 0 {
		t.Fatalf("%d acknowledged events are not in the topic", len(acknowledged))
	}
}

// problems collects what is wrong, and shows the first few.
type problems struct{ all []string }

func (p *problems) add(format string, args ...any) {
	p.all = append(p.all, fmt.Sprintf(format, args...))
}

func (p *problems) report(t *testing.T) {
	t.Helper()
	for i, problem := range p.all {
		if i == 10 {
			t.Errorf("... and %d more", len(p.all)-i)
			return
		}
		t.Error(problem)
	}
}
