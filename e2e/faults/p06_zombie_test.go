package faults

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// TestP06ZombieIsFenced freezes a processor in the middle of its work until the other one has all its partitions, and lets
// it go on as if nothing had been: what it holds must not get through.
func TestP06ZombieIsFenced(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	// The partitions of one that froze in the middle of a transaction come free when the broker gives that up.
	sooner := []string{"--processor-commit-timeout=5s"}
	all := startTogether(f, fleet.Launch{Role: "processor", Flags: sooner}, fleet.Launch{Role: "processor", Name: "second", Flags: sooner},
		fleet.Launch{Role: "ingest"}, fleet.Launch{Role: "dispatcher"}, fleet.Launch{Role: "eventlog"})
	both, ingest := all[:2], all[2]
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.3, Seed: random.Uint64()})
	freezes, longest := 0, time.Duration(0)
	for deadline := time.Now().Add(length); time.Now().Before(deadline); freezes++ {
		f.Pause(between(random, 0, time.Second))
		zombie, heir := both[freezes%2], both[1-freezes%2]
		frozen := time.Now()
		zombie.Freeze()
		rig.Eventually(t, heir.Name+" has all partitions", func() error { return has(heir, 4) })
		f.Pause(between(random, 0, 2*time.Second))
		zombie.Thaw()
		longest = max(longest, time.Since(frozen))
		rig.Eventually(t, zombie.Name+" has partitions again", func() error { return hasFewer(heir, 4) })
	}
	t.Logf("%d freezes; %s", freezes, load.Stop())
	judge(t, f, "frozen %d times, for %s at most with a session of %s", freezes, longest.Round(time.Millisecond), fleet.SessionTime)
}

// partitionsOf asks a processor for its partitions, with what each waits for.
func partitionsOf(p *fleet.Process) (map[string]string, error) {
	answer, err := rig.Request("GET", p.AdminURL+"/readyz", nil, nil)
	if err != nil {
		return nil, err
	}
	var body struct {
		Roles map[string]struct{ Partitions map[string]string }
	}
	err = json.Unmarshal(answer.Body, &body)
	return body.Roles["processor"].Partitions, err
}

func has(p *fleet.Process, count int) error {
	partitions, err := partitionsOf(p)
	if err == nil && len(partitions) != count {
		err = fmt.Errorf("%s has %v", p.Name, partitions)
	}
	return err
}

func hasFewer(p *fleet.Process, count int) error {
	partitions, err := partitionsOf(p)
	if err == nil && len(partitions) >= count {
		err = fmt.Errorf("%s has %v", p.Name, partitions)
	}
	return err
}
