package dispatcher_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

// peaks counts how many calls of a kind are under way, and their greatest number.
type peaks struct {
	mu       sync.Mutex
	now, top map[string]int
}

func (p *peaks) during(kind string, work func()) {
	p.mu.Lock()
	if p.now == nil {
		p.now, p.top = map[string]int{}, map[string]int{}
	}
	p.now[kind]++
	p.top[kind] = max(p.top[kind], p.now[kind])
	p.mu.Unlock()
	work()
	p.mu.Lock()
	p.now[kind]--
	p.mu.Unlock()
}

func TestCallsAtOnceAreLimitedForEachEnvironmentAndWorkflow(t *testing.T) {
	var seen peaks
	p := newPipeline(t, 2, func(c call) reply {
		seen.during(c.path, func() { seen.during("all", func() { time.Sleep(2 * time.Millisecond) }) }) //nolint:forbidigo // an API that takes its time
		return ok()
	})
	p.destination.Concurrency = 6
	config := quick()
	config.WorkflowConcurrency = 4
	for i := range 300 {
		p.write(int32(i%2), fmt.Sprint(i), newRunOf(fmt.Sprint("w", i%3), fmt.Sprint("r", i)))
	}
	p.run(config)
	p.waitCommitted(0, 150)
	p.waitCommitted(1, 150)
	for kind, top := range seen.top {
		if most := map[bool]int{true: 6, false: 4}[kind == "all"]; top > most || top < most/2 {
			t.Errorf("%s: %d calls at once, the limit is %d", kind, top, most)
		}
	}
}

func TestRateLimitOfAnEnvironmentHoldsAndSlowsNoOther(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.others = map[string]dispatcher.Destination{"limited": p.destination}
	limited := p.others["limited"]
	limited.RateLimit = 50
	p.others["limited"] = limited
	for i := range 40 {
		run := newRun(fmt.Sprint("limited", i))
		run.Environment = "limited"
		p.write(0, fmt.Sprint("l", i), run)
	}
	for i := range 40 {
		p.write(0, fmt.Sprint("f", i), newRun(fmt.Sprint("free", i)))
	}
	p.run(quick())
	p.waitCommitted(0, 80)
	calls := p.api.calls("")
	var first, last, freeLast time.Time
	for _, c := range calls {
		if strings.HasPrefix(c.key, "free") {
			freeLast = c.at
			continue
		}
		if first.IsZero() {
			first = c.at
		}
		last = c.at
	}
	if took := last.Sub(first); took < 600*time.Millisecond || took > 3*time.Second {
		t.Errorf("40 calls at 50/s took %s", took)
	}
	if took := freeLast.Sub(first); took > 500*time.Millisecond {
		t.Errorf("the other environment's calls took %s", took)
	}
}

// TestWorkflowThatHangsDelaysNoOther has far more runs of the hanging workflow than may be outstanding.
func TestWorkflowThatHangsDelaysNoOther(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 2, func(c call) reply {
		if strings.Contains(c.path, "hanging") && !healthy.Load() {
			<-c.gone
		}
		return ok()
	})
	config := quick()
	config.MaxOutstanding, config.RetryTiers, config.Timeout = 100, shortTiers(), 500*time.Millisecond
	const runs = 400
	for i := range runs {
		p.writeLater(int32(i%2), fmt.Sprint("h", i), newRunOf("hanging", fmt.Sprint("h", i)))
		p.writeLater(int32(i%2), fmt.Sprint("f", i), newRun(fmt.Sprint("f", i)))
	}
	if err := p.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.run(config)
	p.eventually("the first call", func() bool { return len(p.api.calls("")) > 0 })
	began := time.Now()
	p.eventually("the others are delivered", func() bool { return p.deliveredOf("f", runs) })
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the others took %s", took)
	}
	healthy.Store(true)
	p.eventually("those that hung are delivered", func() bool { return p.deliveredOf("h", runs) })
	p.eventually("both partitions are committed", func() bool { at := p.committed(); return at[0] == runs && at[1] == runs })
	for i := range runs {
		if n := len(p.api.calls(fmt.Sprint("f", i))); n != 1 {
			t.Errorf("f%d was sent %d times", i, n)
		}
	}
}

// deliveredOf reports whether the API has taken n runs whose names begin with the prefix.
func (p *pipeline) deliveredOf(prefix string, n int) bool {
	taken := map[string]bool{}
	for _, c := range p.api.calls("") {
		if strings.HasPrefix(c.key, prefix) && c.answered == 200 {
			taken[c.key] = true
		}
	}
	return len(taken) == n
}

func TestRunsOfAnEnvironmentThatIsKafkaOnlyAreLeftToOthers(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.others = map[string]dispatcher.Destination{"kafka": {Kind: dispatcher.KafkaOnly}}
	run := newRun("r1")
	run.Environment = "kafka"
	p.write(0, "a", run)
	p.write(0, "b", newRun("r2"))
	p.run(quick())
	p.waitCommitted(0, 2)
	if len(p.api.calls("r1")) != 0 || len(p.api.calls("r2")) != 1 {
		t.Errorf("calls are %+v", p.api.calls(""))
	}
	if got := readTopic[schemas.Delivery](p, schemas.DeliveriesTopic, 1); len(got) != 1 || got[0].RunID != "r2" {
		t.Errorf("deliveries are %+v", got)
	}
}
