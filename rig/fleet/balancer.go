package fleet

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
)

// Balancer chooses among processes as a load balancer does: those that say at /readyz that they are ready, in turn. It
// asks them again and again, so that it knows a moment later what has changed.
type Balancer struct {
	mu      sync.Mutex // guards targets
	targets []*target
	idle    *sync.Cond // a request has ended
}

type target struct {
	name, url string
	isReady   bool // by its last answer
	isOut     bool // taken out
	inHand    int  // requests
}

// probeEvery is how often a balancer asks, and how long it waits for an answer.
const (
	probeEvery = 100 * time.Millisecond
	probeWait  = 2 * time.Second
)

// Balance returns a balancer over processes, which may end and be started again, for the length of the test.
func (f *Fleet) Balance(processes ...*Process) *Balancer {
	f.t.Helper()
	b := &Balancer{}
	b.idle = sync.NewCond(&b.mu)
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	client := &http.Client{Timeout: probeWait, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, p := range processes {
		one := &target{name: p.Name, url: p.URL, isReady: true}
		b.targets = append(b.targets, one)
		group.Go(func() { b.probe(ctx, client, one, p.AdminURL+"/readyz") })
	}
	f.t.Cleanup(func() {
		stop()
		group.Wait()
	})
	return b
}

func (b *Balancer) probe(ctx context.Context, client *http.Client, one *target, url string) {
	ticks := time.NewTicker(probeEvery)
	defer ticks.Stop()
	for {
		isReady := false
		answer, err := client.Get(url)
		if err == nil {
			isReady = answer.StatusCode == http.StatusOK
			_ = answer.Body.Close() // nothing of it is read
		}
		b.mu.Lock()
		one.isReady = isReady
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// pick chooses a process for a request, which release ends. Where none is ready it takes one that is not taken out.
func (b *Balancer) pick(turn int) *target {
	b.mu.Lock()
	defer b.mu.Unlock()
	var chosen *target
	for i := range b.targets {
		next := b.targets[(turn+i)%len(b.targets)]
		if !next.isOut && (chosen == nil || next.isReady && !chosen.isReady) {
			chosen = next
		}
	}
	if chosen == nil {
		panic("all processes are taken out of the balancer") // by the test
	}
	chosen.inHand++
	return chosen
}

func (b *Balancer) release(one *target) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one.inHand--
	b.idle.Broadcast()
}

// TakeOut gives a process no more requests, as an orchestrator does before it ends one, and waits for those in hand.
func (b *Balancer) TakeOut(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.named(name)
	one.isOut = true
	for one.inHand > 0 {
		b.idle.Wait()
	}
}

// PutBack lets a process have requests again.
func (b *Balancer) PutBack(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.named(name).isOut = false
}

func (b *Balancer) named(name string) *target {
	return b.targets[slices.IndexFunc(b.targets, func(one *target) bool { return one.name == name })]
}

// AwaitReady waits until the balancer has learned that a process is ready.
func (b *Balancer) AwaitReady(t testing.TB, name string) {
	t.Helper()
	rig.Eventually(t, "the balancer knows that "+name+" is ready", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.named(name).isReady {
			return errors.New("it does not")
		}
		return nil
	})
}
