package dispatcher_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

// parking are settings with which every run that is not taken at once goes into a retry topic.
func parking() dispatcher.Config {
	config := quick()
	config.RetryInPlace, config.RetryTiers = 0, shortTiers()
	return config
}

func TestRunThatWaitsForLongLeavesItsPartitionAndComesBackFromEachRetryTopic(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if c.nth <= 5 {
			return reply{status: 503, body: "busy"}
		}
		return ok()
	})
	run := newRun("r1")
	p.write(0, "k", run)
	p.run(parking())
	p.waitCommitted(0, 1)
	got := p.deliveries(6)["r1"]
	for i, delivery := range got {
		if delivery.Attempt != i+1 || (delivery.Outcome == schemas.Delivered) != (i == 5) {
			t.Errorf("attempt %d is %+v", i+1, delivery)
		}
	}
	calls := p.api.calls("r1")
	for i, c := range calls {
		if c.body != string(run.Request) {
			t.Errorf("attempt %d sent %s", i+1, c.body)
		}
		tiers := shortTiers()
		if i > 0 && c.at.Sub(calls[i-1].at) < tiers[min(i-1, 2)].Wait {
			t.Errorf("attempt %d came after %s, want %s", i+1, c.at.Sub(calls[i-1].at), tiers[min(i-1, 2)].Wait)
		}
	}
	for i, topic := range []string{schemas.RetryShortTopic, schemas.RetryLongTopic, schemas.RetryLastTopic} {
		parked := readTopic[schemas.Run](p, topic, 1)
		if string(parked[0].Request) != string(run.Request) || parked[0].RunID != "r1" {
			t.Errorf("tier %d holds %+v", i, parked[0])
		}
	}
}

func TestParkedRunOfOneKeyLetsTheOthersGoOn(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, stuckUntil(&healthy))
	for _, name := range []string{"stuck", "r1", "r2"} {
		p.write(0, "k", newRun(name))
	}
	p.run(parking())
	p.eventually("the others are delivered", func() bool { return p.delivered("r1") && p.delivered("r2") })
	healthy.Store(true)
	p.eventually("the parked run is delivered", func() bool { return p.delivered("stuck") })
}

func TestStrictOrderLetsTheFollowersWait(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, stuckUntil(&healthy))
	p.destination.Order = dispatcher.Strict
	for _, name := range []string{"stuck", "r1", "r2"} {
		p.write(0, "k", newRun(name))
	}
	p.write(0, "other", newRun("other"))
	p.run(parking())
	p.eventually("another person's run is delivered", func() bool { return p.delivered("other") && len(p.api.calls("stuck")) > 5 })
	if len(p.api.calls("r1")) > 0 {
		t.Error("a follower overtook")
	}
	healthy.Store(true)
	p.waitCommitted(0, 4)
	var order []string
	for _, c := range p.api.calls("") {
		if c.answered == http.StatusOK && c.key != "other" {
			order = append(order, c.key)
		}
	}
	if !slices.Equal(order, []string{"stuck", "r1", "r2"}) {
		t.Errorf("delivered in the order %v", order)
	}
}

func TestRetryAfterSlowsTheWholeEnvironmentAndNoOther(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if c.key == "first" && c.nth == 1 {
			return reply{status: 429, header: map[string]string{"Retry-After": "1"}}
		}
		return ok()
	})
	p.others = map[string]dispatcher.Destination{"staging": p.destination}
	p.write(0, "a", newRun("first"))
	p.run(quick())
	p.eventually("the first answer", func() bool { return len(p.deliveriesSoFar("first")) > 0 })
	slowed := p.api.calls("first")[0].at
	p.write(0, "b", newRunOf("another-workflow", "second"))
	staging := newRun("staging")
	staging.Environment = "staging"
	p.write(0, "c", staging)
	p.eventually("staging", func() bool { return p.delivered("staging") })
	if waited := p.api.calls("staging")[0].at.Sub(slowed); waited > 900*time.Millisecond {
		t.Errorf("the other environment waited %s", waited)
	}
	p.waitCommitted(0, 3)
	if waited := p.api.calls("second")[0].at.Sub(slowed); waited < 900*time.Millisecond || waited > 5*time.Second {
		t.Errorf("another run of the environment waited %s, the API asked for 1s", waited)
	}
}

func TestRunIsNotTriedWhileItsWorkflowIsTakenForDownAndOthersAre(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, func(c call) reply {
		if strings.Contains(c.path, "broken") && !healthy.Load() {
			return reply{status: 500}
		}
		return ok()
	})
	config := parking()
	config.BreakerDelay, config.FirstRetry, config.RetryInPlace = 100*time.Millisecond, 5*time.Millisecond, time.Minute
	for i := range 30 {
		p.write(0, fmt.Sprint(i), newRunOf("broken", fmt.Sprint("broken", i)))
	}
	p.run(config)
	p.eventually("the breaker has opened", func() bool { return len(p.api.calls("")) >= 10 })
	opened := time.Now()
	for i := range 30 {
		p.write(0, fmt.Sprint("ok", i), newRun(fmt.Sprint("ok", i)))
	}
	p.eventually("the others are delivered", func() bool { return p.delivered("ok29") })
	p.eventually("a second has passed", func() bool { return time.Since(opened) > time.Second })
	failed := len(p.api.calls("")) - 30
	// Ten or a few more that were under way, then one for each delay; without a breaker there would be thousands.
	if failed > 16+10+16 {
		t.Errorf("%d calls to a workflow that fails", failed)
	}
	healthy.Store(true)
	for i := range 30 {
		p.eventually("all are delivered", func() bool { return p.delivered(fmt.Sprint("broken", i)) })
	}
}

func TestTooManyRequestsAndRefusalsDoNotCountAsDown(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if strings.HasPrefix(c.key, "refused") {
			return reply{status: 400}
		}
		if c.nth <= 3 {
			return reply{status: 429}
		}
		return ok()
	})
	config := quick()
	config.BreakerDelay = time.Hour
	for i := range 40 {
		p.write(0, fmt.Sprint(i), newRun(fmt.Sprint("refused", i)))
		p.write(0, fmt.Sprint("x", i), newRun(fmt.Sprint("slow", i)))
	}
	p.run(config)
	p.waitCommitted(0, 80)
}

func TestRunComesBackFromItsRetryTopicAfterARestart(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, stuckUntil(&healthy))
	p.write(0, "k", newRun("stuck"))
	config := parking()
	stop := p.run(config)
	p.waitCommitted(0, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	before := len(p.api.calls("stuck"))
	healthy.Store(true)
	p.run(config)
	p.eventually("the run is delivered", func() bool { return p.delivered("stuck") })
	for _, deliveries := range p.deliveries(before + 1) {
		if last := deliveries[len(deliveries)-1]; last.Attempt != before+1 {
			t.Errorf("the attempt after %d is %d", before, last.Attempt)
		}
	}
}

func TestDeadLetterHasEveryAttempt(t *testing.T) {
	p := newPipeline(t, 1, func(c call) reply {
		if c.nth <= 4 {
			return reply{status: 500 + c.nth}
		}
		return reply{status: 422, body: "no"}
	})
	p.write(0, "person", newRun("r1"))
	p.run(parking())
	letter := readTopic[schemas.DeadLetter](p, schemas.DeadRunsTopic, 1)[0]
	if letter.Key != "person" || letter.Last.StatusCode != http.StatusUnprocessableEntity || letter.Last.Response != "no" || len(letter.Attempts) != 5 {
		t.Fatalf("dead letter is %+v", letter)
	}
	for i, attempt := range letter.Attempts {
		want := 501 + i
		if i == 4 {
			want = 422
		}
		if attempt.Attempt != i+1 || attempt.StatusCode != want || attempt.AttemptedAt.IsZero() || attempt.Error == "" {
			t.Errorf("attempt %d is %+v", i+1, attempt)
		}
	}
}

// TestParkedRunsAreAllDeliveredWhenTheirWorkflowRecovers has a guard that lets one call find out: the others that have
// come back at the same moment must not be sent to wait for an hour meanwhile.
func TestParkedRunsAreAllDeliveredWhenTheirWorkflowRecovers(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, func(call) reply {
		if !healthy.Load() {
			return reply{status: 500}
		}
		return ok()
	})
	config := quick()
	config.RetryInPlace, config.BreakerDelay, config.FirstRetry, config.MaxRetry = 200*time.Millisecond, 150*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	config.RetryTiers = []schemas.RetryTier{{Topic: schemas.RetryShortTopic, Wait: time.Second}, {Topic: schemas.RetryLongTopic, Wait: time.Hour}}
	const runs = 300
	for i := range runs {
		p.writeLater(0, fmt.Sprint(i), newRun(fmt.Sprint("r", i)))
	}
	p.run(config)
	p.waitCommitted(0, runs) // all are parked
	healthy.Store(true)
	p.eventually("all are delivered", func() bool { return p.deliveredOf("r", runs) })
}
