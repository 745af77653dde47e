package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// What ingest promises while Kafka is away: it answers within its ack timeout, for which the test leaves a busy machine
// some room, and takes no more memory than this.
const (
	answersWithin = 15 * time.Second
	mostMemory    = 512 << 20
)

// TestP02KafkaDownIs503UntilItIsBack takes the broker away while thousands of senders go on.
func TestP02KafkaDownIs503UntilItIsBack(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := f.StartAll()
	steady := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 200, Duplicates: 0.1, Seed: random.Uint64()})
	f.Pause(between(random, time.Second, 2*time.Second))
	t.Cleanup(func() { rig.StartBroker(t) })
	if !rig.KillBroker(t) {
		t.Fatal("a broker that can be killed needs MILLRACE_TEST_ON=apache")
	}
	flood := f.StartLoad(fleet.Senders{
		To: []string{ingest.URL}, PerSecond: 5000, Connections: 2000, Padding: 1000, First: 1 << 40, Seed: random.Uint64(),
	})
	p := prober{fleet: f, ingest: ingest}
	longest, asked := time.Duration(0), 0
	for deadline := time.Now().Add(length); time.Now().Before(deadline); asked++ {
		longest = max(longest, p.requireUnavailable(t))
	}
	seen := flood.Stop()
	rig.StartBroker(t)
	back := p.awaitTaken(t)
	t.Logf("while down: %s; over all: %s", seen, steady.Stop())
	if peak := ingest.PeakMemory(); peak > mostMemory {
		t.Errorf("ingest took %d MiB at its peak, more than %d", peak>>20, mostMemory>>20)
	}
	judge(t, f, "down for %s: %d of %d probes refused, the slowest after %s; taken again %s after the broker's start; peak memory of ingest %d MiB",
		length, asked, asked, longest.Round(time.Millisecond), back.Round(time.Millisecond), ingest.PeakMemory()>>20)
}

// TestP02SlowKafkaIsBorneOr503 makes the way to Kafka slow, and then slower than ingest may wait.
func TestP02SlowKafkaIsBorneOr503(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	link := f.LinkKafka()
	ingest := f.StartAll()
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Duplicates: 0.1, Seed: random.Uint64()})
	link.SetDelay(100 * time.Millisecond)
	before := f.Ledger.Acknowledged()
	f.Pause(length)
	slow, taken := load.Summary(), f.Ledger.Acknowledged()-before
	if taken == 0 {
		t.Error("nothing was taken while the way to Kafka was slow")
	}
	link.SetDelay(10 * time.Second)
	p := prober{fleet: f, ingest: ingest}
	refused := p.requireUnavailable(t)
	link.SetDelay(0)
	back := p.awaitTaken(t)
	t.Logf("while slow: %s; over all: %s", slow, load.Stop())
	judge(t, f, "%d events taken over a way 100 ms long; 503 after %s where it was 10 s long, and taken again %s later; peak memory of ingest %d MiB",
		taken, refused.Round(time.Millisecond), back.Round(time.Millisecond), ingest.PeakMemory()>>20)
}

// prober posts events one by one, beside any load.
type prober struct {
	fleet  *fleet.Fleet
	ingest *fleet.Process
	posted int64
}

func (p *prober) post() (rig.Answer, time.Duration, error) {
	p.posted++ // of even numbers the second trigger starts no run
	body := fmt.Appendf(nil, `{"type":"track","event":"Order","userId":"prober","messageId":"probe%d","properties":{"n":%d,"chosen":false}}`, p.posted, p.posted<<45)
	began := time.Now()
	answer, err := rig.Request("POST", p.ingest.URL+p.fleet.Path, body, nil)
	return answer, time.Since(began), err
}

// requireUnavailable expects a 503 in time that says when to come again, and returns how long it took.
func (p *prober) requireUnavailable(t *testing.T) time.Duration {
	t.Helper()
	answer, took, err := p.post()
	if err != nil {
		t.Fatalf("ingest gives no answer: %v", err)
	}
	if answer.Status != 503 || answer.Header.Get("Retry-After") == "" || took > answersWithin {
		t.Errorf("answered %d %s, Retry-After %q, after %s", answer.Status, answer.Body, answer.Header.Get("Retry-After"), took)
	}
	return took
}

// awaitTaken waits until an event is taken again, and returns how long that took.
func (p *prober) awaitTaken(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	rig.Eventually(t, "events are taken again", func() error {
		answer, _, err := p.post()
		if err == nil && answer.Status != 204 {
			err = fmt.Errorf("answered %d %s", answer.Status, answer.Body)
		}
		return err
	})
	return time.Since(began)
}
