package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/rig/fleet"
)

// What ingest's clocks may do: leap forward however far, and be so far apart, or step back by as much.
const (
	leap = 25 * time.Hour
	skew = 55 * time.Minute
)

// TestP11DecisionsFollowTheClockOfTheRecords writes events as several ingest processes do whose clocks are nearly an hour
// apart, under few message IDs, and whose clocks leap by more than the dedup window: from then on all is new. Between, the
// processor is killed and loses what it remembers: what it makes of the topic again must say the same.
func TestP11DecisionsFollowTheClockOfTheRecords(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	all := startTogether(f, fleet.Launch{Role: "processor"}, fleet.Launch{Role: "dispatcher"}, fleet.Launch{Role: "eventlog"})
	processor := all[0].Launch
	// The last clock is right: events from far ahead of its own clock Kafka refuses.
	clocks := []time.Duration{-2 * leap, -leap, 0}
	number, losses := int64(0), 0
	for _, clock := range clocks {
		for deadline := time.Now().Add(length / 3); time.Now().Before(deadline); losses++ {
			f.Write(someEvents(random, &number, clock)...)
			f.Process("processor").Kill() // in the middle, or nearly done
			damage{t: t, dir: f.Dir("processor")}.loseAll()
			f.Write(someEvents(random, &number, clock)...)
			f.Start(processor).AwaitReady()
		}
	}
	judge(t, f, "%d leaps of %s by clocks %s apart; %d starts without a memory", len(clocks)-1, leap, skew, losses)
}

// someEvents returns events by clocks that are off and, one against another, behind.
func someEvents(random *rand.Rand, number *int64, off time.Duration) []fleet.Event {
	var events []fleet.Event
	for range 300 {
		at := time.Now().Add(off - between(random, 0, skew))
		events = append(events, fleet.Event{Number: *number, MessageID: fmt.Sprint("m", random.IntN(2000)), ReceivedAt: at})
		*number++
	}
	return events
}
