package dispatcher_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
)

func TestRunsOfOneKeyStartInOrderWhateverFails(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if c.nth <= len(c.key)%3 {
			return reply{status: 500}
		}
		return ok()
	})
	var want []string
	for i := range 60 {
		name := fmt.Sprintf("r%d-%s", i, strings.Repeat("x", i%3))
		want = append(want, name)
		p.write(0, "k", newRun(name))
	}
	p.run(quick())
	p.waitCommitted(0, 60)
	var started []string
	for _, c := range p.api.calls("") {
		if c.nth == 1 {
			started = append(started, c.key)
		} else if started[len(started)-1] != c.key {
			t.Fatalf("%s was tried again while %s was under way", c.key, started[len(started)-1])
		}
	}
	if !slices.Equal(started, want) {
		t.Errorf("started %v\nwant %v", started, want)
	}
}

func TestFailingKeyDelaysNoOtherAndHoldsBackTheCommit(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, func(c call) reply {
		if c.key == "stuck" && !healthy.Load() {
			return reply{status: 503}
		}
		return ok()
	})
	config := quick()
	config.Concurrency = 1 // a waiting retry must not hold the only slot
	p.write(0, "a", newRun("r0"))
	p.write(0, "b", newRun("stuck"))
	for i := range 50 {
		p.write(0, fmt.Sprint("other", i), newRun(fmt.Sprint("r", i+1)))
	}
	p.run(config)
	p.eventually("50 others delivered", func() bool {
		return len(p.api.calls("r50")) == 1 && len(p.api.calls("stuck")) > 2
	})
	p.waitCommitted(0, 1)
	healthy.Store(true)
	p.waitCommitted(0, 52)
	for i := range 51 {
		if n := len(p.api.calls(fmt.Sprint("r", i))); n != 1 {
			t.Errorf("r%d was sent %d times", i, n)
		}
	}
}

func TestReadingPausesAtTheBoundOfOutstandingRuns(t *testing.T) {
	release := make(chan struct{})
	p := newPipeline(t, 1, func(c call) reply {
		select {
		case <-release:
		case <-c.gone:
		}
		return ok()
	})
	config := quick()
	config.MaxOutstanding, config.Concurrency = 5, 100
	for i := range 40 {
		p.write(0, fmt.Sprint(i), newRunOf(fmt.Sprint("workflow-", i), fmt.Sprint("r", i)))
	}
	p.run(config)
	p.eventually("5 calls", func() bool { return len(p.api.calls("")) == 5 })
	p.letTimePass()
	if n := len(p.api.calls("")); n != 5 {
		t.Errorf("%d calls at once, want 5", n)
	}
	close(release)
	p.waitCommitted(0, 40)
}

func TestReadingPausesAtTheBoundOfOutstandingBytes(t *testing.T) {
	release := make(chan struct{})
	p := newPipeline(t, 1, func(c call) reply {
		select {
		case <-release:
		case <-c.gone:
		}
		return ok()
	})
	config := quick()
	config.MaxOutstandingBytes, config.Concurrency = 1, 100
	p.write(0, "first", newRun("first"))
	p.run(config)
	p.eventually("a call", func() bool { return len(p.api.calls("")) == 1 })
	p.write(0, "second", newRun("second"))
	p.letTimePass()
	if n := len(p.api.calls("")); n != 1 {
		t.Errorf("%d calls at once, want 1", n)
	}
	close(release)
	p.waitCommitted(0, 2)
}

// widen writes a run that is not taken and 100 more into partition 0.
func (p *pipeline) widen() {
	p.write(0, "stuck", newRun("stuck"))
	for i := range 100 {
		p.write(0, fmt.Sprint("a", i), newRun(fmt.Sprint("a", i)))
	}
}

func stuckUntil(healthy *atomic.Bool) func(call) reply {
	return func(c call) reply {
		if c.key == "stuck" && !healthy.Load() {
			return reply{status: 503}
		}
		return ok()
	}
}

func TestRunThatHoldsUpTheCommitGoesIntoARetryTopic(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 2, stuckUntil(&healthy))
	config := quick()
	config.MaxGap = 40
	config.RetryTiers = shortTiers()
	p.widen()
	p.run(config)
	p.waitCommitted(0, 101)
	healthy.Store(true)
	p.eventually("the run is delivered", func() bool { return p.delivered("stuck") })
	for i := range 100 {
		if n := len(p.api.calls(fmt.Sprint("a", i))); n != 1 {
			t.Errorf("a%d was sent %d times", i, n)
		}
	}
}

func TestStrictOrderHoldsUpTheCommitAndAWideGapPausesItsPartitionOnly(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 2, stuckUntil(&healthy))
	p.destination.Order = dispatcher.Strict
	config := quick()
	config.MaxGap, config.FirstRetry, config.MaxRetry, config.RetryInPlace = 10, 50*time.Millisecond, 50*time.Millisecond, 0
	p.widen()
	p.run(config)
	p.eventually("the pause", func() bool { return strings.Contains(p.log.String(), "partition pauses") })
	for i := range 100 {
		p.write(1, fmt.Sprint("b", i), newRun(fmt.Sprint("b", i)))
	}
	p.waitCommitted(1, 100)
	if n := len(p.api.calls("a99")); n != 0 {
		t.Error("the paused partition was read to its end")
	}
	healthy.Store(true)
	p.waitCommitted(0, 101)
	for i := range 100 {
		if n := len(p.api.calls(fmt.Sprint("a", i))); n != 1 {
			t.Errorf("a%d was sent %d times", i, n)
		}
	}
}

// letTimePass returns after twenty round trips to the broker: a dispatcher that were free to read on would have done so
// in a fraction of that time.
func (p *pipeline) letTimePass() {
	p.t.Helper()
	for range 20 {
		if err := p.client.Ping(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		p.committed()
	}
}
