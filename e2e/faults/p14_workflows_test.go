package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// The dispatcher's settings of these tests, small enough to be seen in ten seconds.
const (
	breakerDelay = time.Second
	callsAtOnce  = 16 // for one workflow
	callTimeout  = 2 * time.Second
)

// TestP14WorkflowDownHoldsUpNoOther lets one of two workflows answer 503.
func TestP14WorkflowDownHoldsUpNoOther(t *testing.T) {
	outage{"a workflow that answers 503", "/some/", func(answer http.ResponseWriter, _ *http.Request) {
		answer.WriteHeader(http.StatusServiceUnavailable)
	}}.holdsUpNoOther(t)
}

// TestP14WorkflowThatHangsHoldsUpNoOther lets one of two workflows answer nothing for as long as anybody waits.
func TestP14WorkflowThatHangsHoldsUpNoOther(t *testing.T) {
	outage{"a workflow that does not answer", "/some/", func(_ http.ResponseWriter, call *http.Request) {
		<-call.Context().Done()
	}}.holdsUpNoOther(t)
}

// TestP14WorkflowAPIGoneHoldsUpNoOtherEnvironment lets all connections of one of two workflow APIs break.
func TestP14WorkflowAPIGoneHoldsUpNoOtherEnvironment(t *testing.T) {
	outage{"a workflow API that breaks connections", "/", func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}}.holdsUpNoOther(t)
}

// isElsewhere says which events go to the second environment. In the first one, even numbers start no run of the workflow
// some, and are of people for whom none is ever started: a person's runs are kept in order, so others can wait behind one.
func isElsewhere(number int64) bool { return number%5 == 4 }

func isEven(number int64) bool { return !isElsewhere(number) && number%2 == 0 }

// outage is a workflow API of which some calls go wrong.
type outage struct {
	what   string
	of     string // part of the paths that it concerns
	breaks func(http.ResponseWriter, *http.Request)
}

// holdsUpNoOther lets it last for a while. The breaker must leave the calls alone but for one now and then, all that it
// does not concern must be started meanwhile, and in the end everything must have arrived.
func (o outage) holdsUpNoOther(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Elsewhere: isElsewhere})
	ingest := startPatient(f)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 100, Seed: random.Uint64()})
	var isDown atomic.Bool
	var broken atomic.Int64
	healthy := &runs{keys: map[string]struct{}{}}
	f.Workflows.Follow(func(answer http.ResponseWriter, call *http.Request, body []byte) bool {
		if !isDown.Load() || !strings.Contains(call.URL.Path, o.of) {
			healthy.note(call, body)
			return true
		}
		broken.Add(1)
		o.breaks(answer, call)
		return false
	})
	rig.Eventually(t, "runs are started", func() error { return startsAtLeast(f.Workflows.Started, 50) })
	before, began := f.Elsewhere.Started()+healthy.count(), time.Now()
	isDown.Store(true)
	rig.Eventually(t, "the breaker opens", func() error { return complains(f, "most calls for a workflow fail") })
	opened, calls := time.Since(began), broken.Load()
	f.Pause(length)
	t.Log(load.Stop())
	probes, open := broken.Load()-calls, time.Since(began)-opened
	// Of each workflow calls may have been under way; from then on one at a time, three quarters of the delay apart at least.
	if most := 2*callsAtOnce + 2*(1+int64(open/(breakerDelay*3/4))); probes > most {
		t.Errorf("%d calls while the breaker was open for %s, more than %d", probes, open, most)
	}
	awaitElsewhere(t, f)
	if o.of != "/" {
		rig.Eventually(t, "every run of people whom it does not concern is started", func() error {
			return startsAtLeast(healthy.count, f.Ledger.AcknowledgedOf(isEven))
		})
	}
	unaffected := f.Elsewhere.Started() + healthy.count() - before
	isDown.Store(false)
	report := f.Ledger.Check(t)
	t.Logf("figure: %s, for %s: left alone after %s, then %d calls to find out; %d runs that it does not concern started meanwhile, which is all of them; %d runs in all, 0 lost, all there %s after the end",
		o.what, open.Round(time.Second), opened.Round(100*time.Millisecond), probes, unaffected, report.Runs, report.Finished.Round(100*time.Millisecond))
}

// startPatient starts all roles, with a dispatcher whose times fit a test. It returns ingest.
func startPatient(f *fleet.Fleet) *fleet.Process {
	names := []string{"ingest", "processor", "eventlog", "dispatcher"}
	for _, role := range names[:3] {
		f.Start(fleet.Launch{Role: role})
	}
	f.Start(fleet.Launch{Role: "dispatcher", Flags: []string{
		"--dispatcher-breaker-delay=" + breakerDelay.String(), fmt.Sprintf("--dispatcher-workflow-concurrency=%d", callsAtOnce),
		"--dispatcher-timeout=" + callTimeout.String(), "--dispatcher-max-retry=2s",
	}})
	for _, name := range names {
		f.Process(name).AwaitReady()
	}
	return f.Process("ingest")
}

// awaitElsewhere waits until every run of the other environment is started, while the fault lasts.
func awaitElsewhere(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	all := f.Ledger.AcknowledgedOf(isElsewhere) + f.Ledger.AcknowledgedOf(func(n int64) bool { return isElsewhere(n) && n%2 == 1 })
	rig.Eventually(t, "every run of the other environment is started", func() error { return startsAtLeast(f.Elsewhere.Started, all) })
}

func startsAtLeast(started func() int, least int) error {
	if now := started(); now < least {
		return fmt.Errorf("%d runs of %d", now, least)
	}
	return nil
}

// retryAfter is what the workflow API asks for.
const retryAfter = 5 * time.Second

// TestP14RetryAfterIsObeyed lets one of two workflow APIs answer 429 again and again, and looks at when calls come.
func TestP14RetryAfterIsObeyed(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Elsewhere: isElsewhere})
	ingest := startPatient(f)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 100, Seed: random.Uint64()})
	rig.Eventually(t, "runs are started", func() error { return startsAtLeast(f.Workflows.Started, 50) })
	limit := &limit{}
	f.Workflows.Follow(limit.answer)
	before := f.Elsewhere.Started()
	f.Pause(length)
	t.Log(load.Stop())
	awaitElsewhere(t, f)
	meanwhile := f.Elsewhere.Started() - before
	f.Workflows.Follow(nil)
	report := f.Ledger.Check(t)
	refusals, early, rounds := limit.summary()
	if early > 0 {
		t.Errorf("of %d calls %d came more than a second after a 429, and before the time it asked for", refusals, early)
	}
	if rounds == 0 {
		t.Error("nothing was refused")
	}
	t.Logf("figure: %d answers 429 with Retry-After %s in %d rounds, %d calls too early; %d runs of the other environment started meanwhile, all that there were; %d runs in all, 0 lost",
		refusals, retryAfter, rounds, early, meanwhile, report.Runs)
}
