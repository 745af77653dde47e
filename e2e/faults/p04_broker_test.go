package faults

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
)

// pairs are two of each role that reads Kafka, and one ingest, which is the first.
func pairs() []fleet.Launch {
	return []fleet.Launch{
		{Role: "ingest"},
		{Role: "processor"},
		{Role: "processor", Name: "processor-2"},
		{Role: "dispatcher"},
		{Role: "dispatcher", Name: "dispatcher-2"},
		{Role: "eventlog"},
	}
}

// TestP04CutLinksAndABrokerThatCrashes breaks the connections of all roles to Kafka, cuts them for a while, makes them slow
// and kills the broker. The faults of single requests and leaders that move are in package processor, on a broker that can.
func TestP04CutLinksAndABrokerThatCrashes(t *testing.T) {
	underFaults(t, disturb)
}

// underFaults lets faults come, one after the other, to a pipeline whose way to Kafka can be cut, and has it judged.
func underFaults(t *testing.T, fault func(*testing.T, *fleet.Fleet, *fleet.Link, *rand.Rand) string) {
	t.Helper()
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	link := f.LinkKafka()
	ingest := startTogether(f, pairs()...)[0]
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Connections: 256, Duplicates: 0.3, Seed: random.Uint64()})
	faults := map[string]int{}
	for deadline := time.Now().Add(length); time.Now().Before(deadline); {
		f.Pause(between(random, 0, 2*time.Second))
		faults[fault(t, f, link, random)]++
	}
	t.Logf("faults: %v; %s", faults, load.Stop())
	judge(t, f, "faults %v", faults)
}

// disturb does one thing to the way to Kafka, or to its broker, and says what.
func disturb(t *testing.T, f *fleet.Fleet, link *fleet.Link, random *rand.Rand) string {
	t.Helper()
	switch random.IntN(8) {
	case 0:
		if rig.BounceBroker(t) {
			return "broker killed"
		}
	case 1:
		link.Cut()
		f.Pause(between(random, 0, fleet.SessionTime*3/2)) // some of the cuts outlast a session
		link.Restore()
		return "cut"
	case 2:
		link.SetDelay(between(random, 0, 200*time.Millisecond))
		f.Pause(between(random, 0, time.Second))
		link.SetDelay(0)
		return "slow"
	}
	link.Break()
	return "broken"
}

// TestP04EverythingAtOnce kills, freezes and replaces processes of all roles that read Kafka, lets others come and go, and
// does to Kafka what the test above does.
func TestP04EverythingAtOnce(t *testing.T) {
	underFaults(t, func(t *testing.T, f *fleet.Fleet, link *fleet.Link, random *rand.Rand) string {
		t.Helper()
		victim := pairs()[1+random.IntN(len(pairs())-1)]
		return harm(t, f, link, victim, random)
	})
}

// harm does one thing to a process, or to Kafka, and says what.
func harm(t *testing.T, f *fleet.Fleet, link *fleet.Link, victim fleet.Launch, random *rand.Rand) string {
	t.Helper()
	if victim.Name == "" {
		victim.Name = victim.Role
	}
	switch random.IntN(5) {
	case 0:
		f.Process(victim.Name).Kill()
		f.Start(victim)
		return "killed"
	case 1:
		f.Process(victim.Name).Kill()
		f.Pause(between(random, 0, fleet.SessionTime*3/2))
		f.Start(victim)
		return "killed and away"
	case 2:
		f.Process(victim.Name).Freeze()
		f.Pause(fleet.SessionTime * 3 / 2)
		f.Process(victim.Name).Thaw()
		return "frozen"
	case 3:
		guest := f.Start(fleet.Launch{Role: victim.Role, Name: "guest"})
		f.Pause(between(random, 0, 4*time.Second))
		guest.End()
		return "joined and left"
	}
	return disturb(t, f, link, random)
}
