package dispatcher_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/schemas"
)

func TestRunOfANewerVersionStopsItsPartitionAlone(t *testing.T) {
	p := newPipeline(t, 2, func(call) reply { return ok() })
	for i := range 10 {
		p.write(0, "", newRun(fmt.Sprintf("before-%d", i)))
	}
	p.writeBytes(0, "", []byte(`{"schema":2,"run_id":"newer"}`))
	p.write(0, "", newRun("behind"))
	p.write(1, "", newRun("beside-0"))
	stop := p.run(quick())
	p.waitCommitted(0, 10)
	p.waitCommitted(1, 1)
	// The other partition goes on, and this one stays where it is.
	for i := range 5 {
		p.write(1, "", newRun(fmt.Sprintf("beside-%d", i+1)))
		p.waitCommitted(1, int64(i)+2)
	}
	state := p.role.Readiness()
	if !state.Ready || len(state.Warnings) != 1 || !strings.Contains(state.Warnings[0], "upgrade this process first") {
		t.Errorf("%+v", state)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	p.run(quick())
	p.eventually("the next one stops, too", func() bool { return strings.Count(p.log.String(), "upgrade this process first") == 2 })
	p.waitCommitted(0, 10)
	if calls := p.api.calls("behind"); len(calls) != 0 {
		t.Error("a run behind it was started")
	}
	if calls := len(p.api.calls("")); calls != 16 {
		t.Errorf("%d calls, want 16", calls)
	}
}

// A release that comes back meets runs that the newer one has parked.
func TestParkedRunOfANewerVersionIsNotPassedOver(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	record := p.record(0, "production/w", []byte(`{"schema":2,"run_id":"newer"}`))
	record.Topic = p.kafka.Topic(schemas.RetryTiers()[0].Topic)
	if err := p.client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	p.run(quick())
	p.write(0, "", newRun("live"))
	p.eventually("the live run", func() bool { return p.delivered("live") })
	p.eventually("it is told", func() bool {
		state := p.role.Readiness()
		return len(state.Warnings) == 1 && strings.Contains(state.Warnings[0], record.Topic)
	})
}
