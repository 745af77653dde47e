package dispatcher_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// replay writes runs of a replay, all at once.
func (p *pipeline) replay(partition int32, runs ...schemas.Run) {
	p.t.Helper()
	var records []*kgo.Record
	for _, run := range runs {
		run.ReplayID = "rpl_1"
		record := p.record(partition, run.RunID, schemas.AppendRun(nil, &run))
		record.Topic = p.kafka.Topic(schemas.ReplayRunsTopic)
		records = append(records, record)
	}
	if err := p.client.ProduceSync(p.t.Context(), records...).FirstErr(); err != nil {
		p.t.Fatal(err)
	}
}

func numbered(kind string, n int) []schemas.Run {
	runs := make([]schemas.Run, n)
	for i := range runs {
		runs[i] = newRun(fmt.Sprint(kind, i))
	}
	return runs
}

func (p *pipeline) writeAll(partition int32, runs ...schemas.Run) {
	p.t.Helper()
	for _, run := range runs {
		p.writeLater(partition, run.RunID, run)
	}
	if err := p.client.Flush(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) replayCommitted() int64 {
	p.t.Helper()
	offsets, err := kadm.NewClient(p.client).FetchOffsets(p.t.Context(), p.kafka.Group("dispatcher.replay"))
	if err != nil {
		return -1
	}
	at, _ := offsets.Lookup(p.kafka.Topic(schemas.ReplayRunsTopic), 0)
	return at.At
}

func TestRunsOfReplaysAreStartedAndCommitted(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.run(quick())
	p.replay(0, numbered("r", 50)...)
	p.eventually("all committed", func() bool { return p.replayCommitted() == 50 })
	for run, attempts := range p.deliveries(50) {
		if len(attempts) != 1 || attempts[0].Outcome != schemas.Delivered {
			t.Errorf("%s: %+v", run, attempts)
		}
	}
}

func TestReplaysTakeNoPlaceOfLiveRuns(t *testing.T) {
	release := make(chan struct{})
	var seen peaks
	p := newPipeline(t, 1, func(c call) reply {
		if strings.HasPrefix(c.key, "r") {
			seen.during("replayed", func() { <-release })
		}
		return ok()
	})
	config := quick()
	config.Timeout, config.MaxOutstanding = time.Minute, 80
	p.run(config)
	p.replay(0, numbered("r", 200)...)
	p.eventually("replays hold all their places", func() bool { return len(p.api.calls("")) == config.ReplayConcurrency })
	p.writeAll(0, numbered("live", 300)...) // of the same workflow
	p.waitCommitted(0, 300)
	close(release)
	p.eventually("the replay goes on", func() bool { return p.replayCommitted() == 200 })
	if top := seen.top["replayed"]; top != config.ReplayConcurrency {
		t.Errorf("%d calls for replays at once, the limit is %d", top, config.ReplayConcurrency)
	}
}

func TestReplayForAWorkflowThatIsDownWaitsInItsTopic(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return reply{status: http.StatusBadGateway} })
	config := quick()
	config.MaxOutstanding, config.BreakerDelay = 80, 500*time.Millisecond
	p.run(config)
	p.replay(0, numbered("r", 300)...)
	p.eventually("the breaker opens", func() bool { return strings.Contains(p.log.String(), "left alone") })
	p.eventually("a call finds out", func() bool { return len(p.api.calls("")) > 12 })
	for _, tier := range schemas.RetryTiers() {
		ends, err := kadm.NewClient(p.client).ListEndOffsets(t.Context(), p.kafka.Topic(tier.Topic))
		if err != nil {
			t.Fatal(err)
		}
		if end, _ := ends.Lookup(p.kafka.Topic(tier.Topic), 0); end.Offset != 0 {
			t.Errorf("%d runs of the replay are in %s", end.Offset, tier.Topic)
		}
	}
}

func TestReplaysKeepToTheirRate(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	config := quick()
	config.ReplayRate = 50
	p.run(config)
	p.replay(0, numbered("r", 40)...)
	p.eventually("all committed", func() bool { return p.replayCommitted() == 40 })
	calls := p.api.calls("")
	if took := calls[len(calls)-1].at.Sub(calls[0].at); took < 600*time.Millisecond {
		t.Errorf("40 calls in %s, at 50 a second and 5 at once they take 700ms", took)
	}
}

func TestReplaysLeaveAnEnvironmentsRateLimitToLiveRuns(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.destination.RateLimit = 50
	p.run(quick())
	p.replay(0, numbered("r", 30)...)
	p.eventually("the replay has begun", func() bool { return len(p.api.calls("")) > 0 })
	p.writeAll(0, numbered("live", 40)...)
	p.waitCommitted(0, 40)
	p.eventually("the replay goes on", func() bool { return p.replayCommitted() == 30 })
	between, passed := 0, 0 // replays called between the first and the last live run
	live := 0
	for _, c := range p.api.calls("") {
		switch {
		case strings.HasPrefix(c.key, "live"):
			live++
			between += passed
			passed = 0
		case live > 0:
			passed++
		}
	}
	if between > 4 {
		t.Errorf("%d runs of the replay were called while live ones waited", between)
	}
}
