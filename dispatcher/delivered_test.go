package dispatcher_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/schemas"
)

// rewind lets the group begin with the runs topic anew, as a crash before the first commit does.
func (p *pipeline) rewind() {
	p.t.Helper()
	var offsets kadm.Offsets
	for partition := range p.committed() {
		offsets.AddOffset(p.kafka.Topic(schemas.RunsTopic), partition, 0, -1)
	}
	if err := kadm.NewClient(p.client).CommitAllOffsets(p.t.Context(), p.kafka.Group("dispatcher"), offsets); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) requireOneCallEach(n int) {
	p.t.Helper()
	for i := range n {
		if calls := len(p.api.calls(fmt.Sprint("r", i))); calls != 1 {
			p.t.Errorf("r%d was sent %d times", i, calls)
		}
	}
}

func TestDeliveredRunIsNotSentAgainWhoeverReadsItAgain(t *testing.T) {
	p := newPipeline(t, 2, func(call) reply { return ok() })
	for i := range 20 {
		p.write(int32(i%2), fmt.Sprint(i), newRun(fmt.Sprint("r", i)))
	}
	config := quick()
	config.DeliveredDir = t.TempDir()
	again := func() {
		t.Helper()
		stop := p.run(config)
		p.waitCommitted(0, 10)
		p.waitCommitted(1, 10)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		p.requireOneCallEach(20)
		p.rewind()
	}
	again()
	again()
	config.DeliveredDir = t.TempDir() // as after the loss of the disk
	again()
}

func TestReplayedRunThatWasDeliveredIsNotSentAgain(t *testing.T) {
	p := newPipeline(t, 2, func(call) reply { return ok() })
	p.write(0, "k", newRun("r0"))
	p.run(quick())
	p.waitCommitted(0, 1)
	p.write(1, "another-key", newRun("r0")) // partitions may have grown since
	p.waitCommitted(1, 1)
	p.requireOneCallEach(1)
}

// A role that began anew in the middle of something may write a run twice within one poll of the dispatcher.
func TestRunThatIsReadTwiceAtOnceIsSentOnce(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	for i := range 200 {
		p.write(0, "k", newRun(fmt.Sprint("r", i)))
		p.write(0, "k", newRun(fmt.Sprint("r", i)))
	}
	p.run(quick())
	p.waitCommitted(0, 400)
	p.requireOneCallEach(200)
}

// TestWhatIsFinishedBeyondTheCommitIsNotSentAgain has no index to help: the deliveries are gone.
func TestWhatIsFinishedBeyondTheCommitIsNotSentAgain(t *testing.T) {
	var healthy atomic.Bool
	p := newPipeline(t, 1, func(c call) reply {
		if (c.key == "r3" || c.key == "r12") && !healthy.Load() {
			return reply{status: 503}
		}
		return ok()
	})
	for i := range 20 {
		p.write(0, fmt.Sprint(i), newRun(fmt.Sprint("r", i)))
	}
	stop := p.run(quick())
	p.eventually("all but two are delivered", func() bool {
		return p.delivered("r19") && p.delivered("r18") && len(p.api.calls("r3")) > 1 && len(p.api.calls("r12")) > 1
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	offsets, err := kadm.NewClient(p.client).FetchOffsets(t.Context(), p.kafka.Group("dispatcher"))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := offsets.Lookup(p.kafka.Topic(schemas.RunsTopic), 0)
	if at.At != 3 || !strings.HasPrefix(at.Metadata, "done1:") {
		t.Fatalf("committed at %d with %q", at.At, at.Metadata)
	}
	p.forgetDeliveries()
	healthy.Store(true)
	p.run(quick())
	p.waitCommitted(0, 20)
	for i := range 20 {
		if n := len(p.api.calls(fmt.Sprint("r", i))); n != 1 && i != 3 && i != 12 {
			t.Errorf("r%d was sent %d times", i, n)
		}
	}
}

func (p *pipeline) forgetDeliveries() {
	p.t.Helper()
	admin := kadm.NewClient(p.client)
	ends, err := admin.ListEndOffsets(p.t.Context(), p.kafka.Topic(schemas.DeliveriesTopic))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := admin.DeleteRecords(p.t.Context(), ends.Offsets()); err != nil {
		p.t.Fatal(err)
	}
}

func TestDispatcherWaitsForFilesThatItCannotUse(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	p.write(0, "k", newRun("r0"))
	config := quick()
	config.DeliveredDir = t.TempDir()
	inTheWay := filepath.Join(config.DeliveredDir, "instance")
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	p.run(config)
	p.eventually("it says that it waits", func() bool { return strings.Contains(p.log.String(), "no run is dispatched for now") })
	if calls := len(p.api.calls("r0")); calls != 0 {
		t.Errorf("%d calls by a dispatcher that cannot remember them", calls)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	p.waitCommitted(0, 1)
	p.requireOneCallEach(1)
}
