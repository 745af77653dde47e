package dispatcher_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/rig"
)

func TestReadinessSaysWhetherRunsWouldBeStarted(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return reply{status: http.StatusInternalServerError} })
	config := quick()
	config.BreakerDelay = time.Hour
	idle, err := dispatcher.New(config, p.kafka, p, p.logger)
	if err != nil {
		t.Fatal(err)
	}
	if state := idle.Readiness(); state.Ready || !strings.Contains(strings.Join(state.Waiting, " "), "delivered") {
		t.Errorf("it does not run: %+v", state)
	}
	stop := p.run(config)
	p.eventually("ready", func() bool { return p.role.Readiness().Ready })
	for i := range 30 {
		p.write(0, fmt.Sprint(i), newRun(fmt.Sprint("run-", i)))
	}
	p.eventually("a warning of the workflow whose calls fail", func() bool {
		state := p.role.Readiness()
		return state.Ready && len(state.Warnings) == 1 && strings.Contains(state.Warnings[0], "left alone")
	})
	if got := counted(t, p.role, "retrying", "5xx"); got < 10 {
		t.Errorf("counted %g attempts, although ten in a row have to fail", got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if state := p.role.Readiness(); state.Ready {
		t.Error("it has stopped")
	}
}

// counted returns how many attempts ended so.
func counted(t *testing.T, role *dispatcher.Dispatcher, outcome, class string) float64 {
	t.Helper()
	return rig.Counted(t, role.Metrics(), "millrace_dispatcher_attempts_total", class, outcome)
}
