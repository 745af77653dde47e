package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// The contenders' names. Two of the ten triggers match.
const (
	withTriggers = "millrace, 10 triggers"
	dedupOnly    = "millrace, dedup only"
	bareLoop     = "bare loop"
	streamsPeer  = "kafka streams, dedup only"
)

// contender is a program that works off the events of a world.
type contender struct {
	name  string
	world *world
	known *truth
	begin func(ctx context.Context, dir string, round int) (job, error)
}

// job is one run of a contender.
type job struct {
	command []string
	group   string // whose offsets tell how far it is
	output  string // the topic it writes
	// message returns which message a record of the output lets pass; repeat says that it lets none.
	message func(record *kgo.Record) (number int, repeat bool, err error)
	clean   func(ctx context.Context) error // makes room for the next round
}

// ours is the processor.
func ours(name, binary string, w *world, known *truth) contender {
	return contender{name: name, world: w, known: known, begin: func(_ context.Context, dir string, round int) (job, error) {
		instance := fmt.Sprint("bench-", round)
		group := w.cluster.Group("processor")
		return job{
			group: group, output: w.cluster.Topic(schemas.DecisionsTopic), message: known.decided,
			command: processorCommand(binary, w, instance, filepath.Join(dir, "dedup"), "exactly_once"),
			clean: func(ctx context.Context) error {
				if err := w.forget(ctx, group, instance); err != nil {
					return err
				}
				return w.truncate(ctx, w.cluster.Topic(schemas.DecisionsTopic), w.cluster.Topic(schemas.RunsTopic))
			},
		}, nil
	}}
}

func processorCommand(binary string, w *world, instance, dedupDir, guarantee string) []string {
	return []string{
		binary, "processor", "--log-level=warn", "--kafka-brokers=" + strings.Join(w.cluster.Brokers, ","),
		"--kafka-topic-prefix=" + w.cluster.TopicPrefix, "--processor-instance=" + instance,
		"--processor-dedup-dir=" + dedupDir, "--processor-guarantee=" + guarantee, "--admin-listen=",
	}
}

// decided tells from a decision which message passed. The bytes are what schemas.AppendDecision writes; were they
// others, the repeats would not add up.
func (t *truth) decided(record *kgo.Record) (int, bool, error) {
	id, err := uuid.ParseBytes(record.Key)
	if err != nil {
		return 0, false, err
	}
	number, found := t.byEvent[id]
	if !found {
		return 0, false, fmt.Errorf("a decision on event %s, which nobody wrote", id)
	}
	return number, strings.Contains(string(record.Value), `"status":"duplicate"`), nil
}

// forget makes a group start over. A member with a name stays in it for a while after its end, unless it is taken out.
func (w *world) forget(ctx context.Context, group, instance string) error {
	if _, err := w.admin.LeaveGroup(ctx, kadm.LeaveGroup(group).InstanceIDs(instance)); err != nil {
		return fmt.Errorf("taking %s out of group %s: %w", instance, group, err)
	}
	deleted, err := w.admin.DeleteGroup(ctx, group)
	if err == nil {
		err = deleted.Err
	}
	if err != nil {
		return fmt.Errorf("deleting group %s: %w", group, err)
	}
	return nil
}

// truncate removes the records of topics.
func (w *world) truncate(ctx context.Context, topics ...string) error {
	ends, err := w.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	_, err = w.admin.DeleteRecords(ctx, ends.Offsets())
	return err
}

// streams is the program in bench/peers/streams.
func streams(peers string, w *world, known *truth) contender {
	return contender{name: streamsPeer, world: w, known: known, begin: func(ctx context.Context, dir string, round int) (job, error) {
		java, err := exec.LookPath("java")
		if err != nil {
			return job{}, fmt.Errorf("kafka streams needs JDK 17: %w", err)
		}
		id := w.cluster.Group(fmt.Sprint("streams-", round))
		output := id + ".output"
		if err := w.makeTopic(ctx, output); err != nil {
			return job{}, fmt.Errorf("creating topic %s: %w", output, err)
		}
		built := filepath.Join(peers, "streams")
		return job{
			group: id, output: output, message: known.passed,
			command: []string{
				java, "-Xms256m", "-Xmx1g", "-cp", filepath.Join(built, "streams-1.jar") + ":" + filepath.Join(built, "libs", "*"),
				"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "millrace.peers.Main",
				strings.Join(w.cluster.Brokers, ","), id, w.cluster.Topic(schemas.EventsTopic), output, filepath.Join(dir, "state"),
			},
			clean: func(ctx context.Context) error {
				_, err := w.admin.DeleteTopics(ctx, output, id+"-seen-changelog")
				return err
			},
		}, nil
	}}
}

// passed tells which message Streams let pass: it writes no more than those.
func (t *truth) passed(record *kgo.Record) (int, bool, error) {
	if len(record.Key) != len(schemas.Key{}) {
		return 0, false, fmt.Errorf("a key of %d bytes", len(record.Key))
	}
	number, found := t.byKey[schemas.Key(record.Key)]
	if !found {
		return 0, false, fmt.Errorf("a record with key %x, which nobody wrote", record.Key)
	}
	return number, false, nil
}
