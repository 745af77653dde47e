package dispatcher_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

func TestInstanceKeepsItsNameAndLeavesTheGroupWhenItStops(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	config := quick()
	config.DeliveredDir = t.TempDir()
	for range 2 {
		stop := p.run(config)
		p.eventually("the member is in the group", func() bool { return len(p.members()) == 1 })
		name, err := os.ReadFile(filepath.Join(config.DeliveredDir, "instance"))
		if err != nil || p.members()[0] != strings.TrimSpace(string(name)) {
			t.Errorf("member %s, file %q, %v", p.members()[0], name, err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if left := p.members(); len(left) > 0 {
			t.Errorf("%v stayed in the group", left)
		}
	}
}

func (p *pipeline) members() []string {
	p.t.Helper()
	groups, err := kadm.NewClient(p.client).DescribeGroups(p.t.Context(), p.kafka.Group("dispatcher"))
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, group := range groups {
		for _, member := range group.Members {
			if member.InstanceID != nil {
				names = append(names, *member.InstanceID)
			}
		}
	}
	return names
}

func TestTwoProcessesWithOneNameDoNotGoOnTogether(t *testing.T) {
	p := newPipeline(t, 1, func(call) reply { return ok() })
	first, second := quick(), quick()
	first.DeliveredDir, second.DeliveredDir = t.TempDir(), t.TempDir()
	for _, dir := range []string{first.DeliveredDir, second.DeliveredDir} {
		if err := os.WriteFile(filepath.Join(dir, "instance"), []byte("copied\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	stop := p.run(first)
	p.write(0, "k", newRun("r1"))
	p.waitCommitted(0, 1)
	p.run(second)
	p.eventually("the first one ends", func() bool { return strings.Contains(p.log.String(), "no new call starts") })
	go func() { ended <- stop() }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "was --dispatcher-delivered-dir copied") {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("the first one does not end")
	}
	p.eventually("the second one is in the group, or again", func() bool { return len(p.members()) == 1 })
	p.write(0, "k", newRun("r2"))
	p.waitCommitted(0, 2)
}
