package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// bareArgument makes this program the bare loop, with the brokers, the group, the input and the output after it.
const bareArgument = "bare-loop"

// bareRecords is how many records the loop commits together at most, as the processor does by default.
const bareRecords = 20_000

// runBare copies each event from a topic to another, exactly once, and does nothing else: what Kafka and its client take of
// what the others take.
func runBare(ctx context.Context, arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("%s takes brokers, group, input and output", bareArgument)
	}
	brokers, group, input, output := arguments[0], arguments[1], arguments[2], arguments[3]
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(input), kgo.TransactionalID(group),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.DefaultProduceTopic(output),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	for ctx.Err() == nil {
		fetches := session.PollRecords(ctx, bareRecords)
		if err := fetches.Err(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("reading %s: %w", input, err)
		}
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := copyOnce(ctx, session, fetches); err != nil {
			return err
		}
	}
	return nil
}

func copyOnce(ctx context.Context, session *kgo.GroupTransactSession, fetches kgo.Fetches) error {
	if err := session.Begin(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	var failed kgo.FirstErrPromise
	fetches.EachRecord(func(record *kgo.Record) {
		session.Produce(ctx, &kgo.Record{Key: record.Key, Value: record.Value, Headers: record.Headers, Timestamp: record.Timestamp}, failed.Promise())
	})
	err := errors.Join(session.Client().Flush(ctx), failed.Err())
	// One that the broker rolls back is read again: the session has gone back to where it began.
	if _, ended := session.End(context.WithoutCancel(ctx), kgo.TransactionEndTry(err == nil)); ended != nil {
		return fmt.Errorf("ending a transaction: %w", ended)
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// bare is that loop, in a process of its own.
func bare(w *world, known *truth) contender {
	return contender{name: bareLoop, world: w, known: known, begin: func(ctx context.Context, _ string, round int) (job, error) {
		self, err := os.Executable()
		if err != nil {
			return job{}, err
		}
		group := w.cluster.Group(fmt.Sprint("bare-", round))
		output := group + ".output"
		if err := w.makeTopic(ctx, output); err != nil {
			return job{}, fmt.Errorf("creating topic %s: %w", output, err)
		}
		return job{
			group: group, output: output, message: known.copied(),
			command: []string{self, bareArgument, strings.Join(w.cluster.Brokers, ","), group, w.cluster.Topic(schemas.EventsTopic), output},
			clean: func(ctx context.Context) error {
				_, err := w.admin.DeleteTopics(ctx, output)
				return err
			},
		}, nil
	}}
}

// copied tells which message a copy is of, and of all but the first that it is a repeat.
func (t *truth) copied() func(*kgo.Record) (int, bool, error) {
	seen := make([]bool, t.messages)
	return func(record *kgo.Record) (int, bool, error) {
		number, _, err := t.passed(record)
		if err != nil {
			return 0, false, err
		}
		isRepeat := seen[number]
		seen[number] = true
		return number, isRepeat, nil
	}
}
