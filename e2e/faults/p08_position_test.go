package faults

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/rig/fleet"
	"github.com/millrace/millrace/schemas"
)

// TestP08DeletedEventsStopTheirPartitionOnly deletes events that the processor has not read. It must say so, read nothing of
// that partition until a person has decided, and go on with the others.
func TestP08DeletedEventsStopTheirPartitionOnly(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest, processor := f.StartAll(), fleet.Launch{Role: "processor"}
	group := newGroup(t, f)
	load := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Seed: random.Uint64()})
	const victim = int32(1)
	group.awaitBeyond("processor", map[int32]int64{victim: 0})
	f.Process("processor").Kill()
	position := group.positions("processor")[victim]
	rig.Eventually(t, "events wait for the processor", func() error {
		if end := group.ends()[victim]; end < position+10 {
			return fmt.Errorf("position %d, end %d", position, end)
		}
		return nil
	})
	deleted := group.ends()
	group.awaitBeyond("eventlog", deleted) // which would lose them, too
	f.Ledger.Keep(t)
	f.Ledger.Lose(victim, position, deleted[victim])
	group.deleteEvents(victim, deleted[victim])

	process := f.Start(processor)
	rig.Eventually(t, "the partition is reported as stopped", func() error { return isStopped(process, victim) })
	others := maps.Clone(deleted)
	delete(others, victim)
	group.awaitBeyond("processor", others)
	f.Pause(length)
	if now := group.positions("processor")[victim]; now != position {
		t.Errorf("the position of the stopped partition went from %d to %d", position, now)
	}
	if said := strings.Count(f.Log(), "cannot be read on"); said != 1 {
		t.Errorf("the log says %d times that a partition cannot be read on", said)
	}
	requireMetric(t, process, "millrace_processor_stopped_partitions 1")
	group.awaitBeyond("processor", others)

	process.End()
	group.setPosition(victim, deleted[victim])
	f.Start(processor)
	t.Log(load.Stop())
	judge(t, f, "%d events were deleted unread; their partition stood still until it was told where to go on", deleted[victim]-position)
}

// TestP08TopicCreatedAgainStopsItsPartitionsUntilTheNextStart deletes the events topic under a running pipeline and makes a
// new one of its name. Nothing of the new one is read with what is remembered of the old one.
func TestP08TopicCreatedAgainStopsItsPartitionsUntilTheNextStart(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{NoEventLog: true})
	all := startTogether(f, fleet.Launch{Role: "ingest"}, fleet.Launch{Role: "processor"}, fleet.Launch{Role: "dispatcher"})
	ingest, processor := all[0], all[1]
	senders := fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Seed: random.Uint64()}
	load := f.StartLoad(senders)
	f.Pause(length / 2)
	load.Stop()
	f.Ledger.Settle(t)
	f.Ledger.Keep(t)
	group := newGroup(t, f)
	group.createAgain()

	senders.First = 1 << 40
	load = f.StartLoad(senders)
	rig.Eventually(t, "all partitions are reported as stopped", func() error { return isStopped(processor, 0, 1, 2, 3) })
	requireMetric(t, processor, "millrace_processor_stopped_partitions 4")
	f.Pause(length / 2)
	if decided := group.positions("processor"); len(decided) > 0 {
		t.Errorf("of the new topic the processor has committed %v", decided)
	}
	// Who writes to a topic goes on refusing events, too, until it is started anew.
	for _, p := range []*fleet.Process{processor, ingest} {
		p.End()
		f.Start(p.Launch).AwaitReady()
	}
	group.awaitBeyond("processor", map[int32]int64{0: 0, 1: 0, 2: 0, 3: 0})
	t.Log(load.Stop())
	judge(t, f, "all partitions stood still until the processor was started anew")
}

// isStopped expects exactly these partitions of a processor to be reported as stopped.
func isStopped(p *fleet.Process, partitions ...int32) error {
	states, err := partitionsOf(p)
	if err != nil {
		return err
	}
	for _, partition := range partitions {
		if !strings.HasPrefix(states[fmt.Sprint(partition)], "stopped: ") {
			return fmt.Errorf("partition %d: %s", partition, states[fmt.Sprint(partition)])
		}
		delete(states, fmt.Sprint(partition))
	}
	for partition, state := range states {
		if strings.HasPrefix(state, "stopped: ") {
			return fmt.Errorf("partition %s is stopped, too: %s", partition, state)
		}
	}
	return nil
}

func requireMetric(t *testing.T, p *fleet.Process, line string) {
	t.Helper()
	answer, err := rig.Request("GET", p.AdminURL+"/metrics", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains("\n"+string(answer.Body), "\n"+line+"\n") {
		t.Errorf("%s has no metric %s", p.Name, line)
	}
}

// group looks at the events topic and the positions of groups in it, and changes them.
type group struct {
	t     *testing.T
	fleet *fleet.Fleet
	admin *kadm.Client
	topic string
}

func newGroup(t *testing.T, f *fleet.Fleet) group {
	t.Helper()
	client, err := kgo.NewClient(f.Kafka.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return group{t, f, kadm.NewClient(client), f.Kafka.Topic(schemas.EventsTopic)}
}

// positions returns the committed offsets of a role by partition.
func (g group) positions(role string) map[int32]int64 {
	g.t.Helper()
	offsets, err := g.admin.FetchOffsets(g.t.Context(), g.fleet.Kafka.Group(role))
	if err != nil {
		g.t.Fatal(err)
	}
	at := map[int32]int64{}
	for partition, offset := range offsets[g.topic] {
		at[partition] = offset.At
	}
	return at
}

func (g group) ends() map[int32]int64 {
	g.t.Helper()
	ends, err := g.admin.ListEndOffsets(g.t.Context(), g.topic)
	if err != nil {
		g.t.Fatal(err)
	}
	at := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) { at[end.Partition] = end.Offset })
	return at
}

// awaitBeyond waits until a role has read partitions up to these offsets, and further.
func (g group) awaitBeyond(role string, offsets map[int32]int64) {
	g.t.Helper()
	rig.Eventually(g.t, role+" has read on", func() error {
		now := g.positions(role)
		for partition, offset := range offsets {
			if now[partition] <= offset {
				return fmt.Errorf("at %v of %v", now, offsets)
			}
		}
		return nil
	})
}

func (g group) deleteEvents(partition int32, below int64) {
	g.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(g.topic, partition, below, -1)
	deleted, err := g.admin.DeleteRecords(g.t.Context(), offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		g.t.Fatalf("deleting events: %v", err)
	}
}

// setPosition is what a person does after having decided where to go on. It waits until the processors have left.
func (g group) setPosition(partition int32, at int64) {
	g.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(g.topic, partition, at, -1)
	rig.Eventually(g.t, "the position is set", func() error {
		return g.admin.CommitAllOffsets(g.t.Context(), g.fleet.Kafka.Group("processor"), offsets)
	})
}

// createAgain deletes the topic and makes a new one.
func (g group) createAgain() {
	g.t.Helper()
	if _, err := g.admin.DeleteTopic(g.t.Context(), g.topic); err != nil {
		g.t.Fatal(err)
	}
	rig.Eventually(g.t, "the topic is there again", func() error { return g.fleet.Kafka.EnsureTopics(g.t.Context()) })
}
