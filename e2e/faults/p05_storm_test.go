package faults

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// TestP05PartitionsThatStayMoveInARebalanceStorm lets guests join two processors and leave them again, each for about a
// second and each under a new name: the group finds out late that one has gone, and shares its partitions out once more.
func TestP05PartitionsThatStayMoveInARebalanceStorm(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{Partitions: 12})
	all := startTogether(f, fleet.Launch{Role: "processor"}, fleet.Launch{Role: "processor", Name: "second"},
		fleet.Launch{Role: "ingest"}, fleet.Launch{Role: "dispatcher"}, fleet.Launch{Role: "eventlog"})
	stay := &stayers{t: t, group: newGroup(t, f), processors: all[:2]}
	load := f.StartLoad(fleet.Senders{To: []string{all[2].URL}, PerSecond: 500, Duplicates: 0.3, Seed: random.Uint64()})
	guests, moved, longest := 0, 0, time.Duration(0)
	for deadline := time.Now().Add(length); time.Now().Before(deadline); guests++ {
		guest := f.Start(fleet.Launch{Role: "processor", Name: fmt.Sprint("guest-", guests)})
		joined := time.Now()
		guest.AwaitReady()
		began := time.Now()
		moved += stay.requireMoving()
		longest = max(longest, time.Since(began))
		f.Pause(time.Second - time.Since(joined))
		guest.End()
	}
	if moved == 0 {
		t.Error("no partition ever stayed with the processors that stay")
	}
	t.Logf("%d guests; %s", guests, load.Stop())
	judge(t, f, "%d members came and went; of the %d times that a partition stayed where it was it got further, after %s at most",
		guests, moved, longest.Round(time.Millisecond))
}

// stayers are processors that go on while others come and go.
type stayers struct {
	t          *testing.T
	group      group
	processors []*fleet.Process
}

// requireMoving waits until each partition that they have has got further, or has left them, and returns how many stayed.
func (s *stayers) requireMoving() int {
	s.t.Helper()
	first, owned := s.group.positions("processor"), s.owners()
	stayed := 0
	rig.Eventually(s.t, "every partition that stays gets further", func() error {
		now, owners := s.group.positions("processor"), s.owners()
		stayed = 0
		for partition, owner := range owned {
			if owners[partition] != owner {
				continue
			}
			if now[partition] <= first[partition] {
				return fmt.Errorf("partition %d of %s stays at %d", partition, owner, first[partition])
			}
			stayed++
		}
		return nil
	})
	return stayed
}

// owners returns by partition who has it and reads it.
func (s *stayers) owners() map[int32]string {
	s.t.Helper()
	owners := map[int32]string{}
	for _, p := range s.processors {
		partitions, err := partitionsOf(p)
		if err != nil {
			s.t.Fatal(err)
		}
		for text, state := range partitions {
			partition, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				s.t.Fatal(err)
			}
			if state == "ready" {
				owners[int32(partition)] = p.Name
			}
		}
	}
	return owners
}
