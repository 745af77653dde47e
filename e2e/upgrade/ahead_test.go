package upgrade

import (
	"errors"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestRecordsOfAReleaseTooFarAheadWait skips a release: a processor writes records that the dispatcher and the event log
// of this one cannot read. They wait for processes that can. The test itself has to read these records, which the overlay
// that `make upgrade-test` gives it is for.
func TestRecordsOfAReleaseTooFarAheadWait(t *testing.T) {
	ahead, current := requireBinary(t, "MILLRACE_AHEAD_BINARY"), rig.Binary(t)
	i := install(t, current, []string{"eventlog", "dispatcher-1", "processor-1", "ingest-1", "ingest-2"})
	i.Process("processor-1").End()
	i.Start(launch("processor-1", ahead)).AwaitReady()
	for _, name := range []string{"dispatcher-1", "eventlog"} {
		rig.Eventually(t, name+" stops and says why", func() error { return i.says(name, "upgrade this process first") })
	}
	for _, name := range []string{"eventlog", "dispatcher-1"} {
		i.Process(name).End()
		i.Start(launch(name, ahead)).AwaitReady()
	}
	i.flows()
	i.replace("processor-1", current) // records of both versions, one behind the other
	i.settle(ahead)
	i.requireSilence()
}

// says looks for a text in what a process answers at /readyz, which must say that it is ready: the rest goes on.
func (i *installation) says(name, text string) error {
	answer, err := rig.Request("GET", i.Process(name).AdminURL+"/readyz", nil, nil)
	switch {
	case err != nil:
		return err
	case answer.Status != 200:
		return errors.New("it is not ready: " + string(answer.Body))
	case !strings.Contains(string(answer.Body), text):
		return errors.New("it says " + string(answer.Body))
	}
	return nil
}
