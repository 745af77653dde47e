package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace/millrace/doctor"
	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/schemas"
)

const kafkaHint = "see whether the brokers run, whether --kafka-brokers and its like name them, and whether this network lets you through"

// checkKafka asks for the brokers first: without them there is nothing to say about the rest.
func (c *doctorCommand) checkKafka(ctx context.Context) []doctor.Finding {
	admin, err := c.Kafka.Admin()
	if err != nil {
		return []doctor.Finding{doctor.Failed("kafka", err, kafkaHint)}
	}
	defer admin.Close()
	brokers, err := brokersOf(ctx, admin)
	if err != nil {
		return []doctor.Finding{doctor.Failed("kafka", fmt.Errorf("asking Kafka at %v: %w", c.Kafka.Brokers, err), kafkaHint)}
	}
	findings := doctor.JudgeKafka(brokers)
	states, err := c.Kafka.TopicStates(ctx, admin)
	if err != nil {
		return append(findings, doctor.Failed("topics", err, "the user needs Describe and DescribeConfigs on the topics"))
	}
	findings = append(findings, doctor.JudgeTopics(len(schemas.Topics()), states, c.Kafka.PlanTopics(states, false), brokers.Brokers)...)
	if len(states) < len(schemas.Topics()) {
		return findings // groups cannot be compared with topics that are not there
	}
	groups, err := c.groups(ctx, admin)
	if err != nil {
		findings = append(findings, doctor.Failed("consumers", err, "the user needs Describe on the groups and the topics"))
	}
	return append(append(findings, doctor.JudgeGroups(groups)...), c.newestEvent(ctx, admin)...)
}

func brokersOf(ctx context.Context, admin *kadm.Client) (doctor.Kafka, error) {
	versions, err := admin.ApiVersions(ctx)
	if err != nil {
		return doctor.Kafka{}, err
	}
	found := doctor.Kafka{Brokers: len(versions)}
	for _, broker := range versions {
		if broker.Err != nil {
			return found, fmt.Errorf("broker %d: %w", broker.NodeID, broker.Err)
		}
		found.Versions = append(found.Versions, broker.VersionGuess())
	}
	slices.Sort(found.Versions)
	found.Versions = slices.Compact(found.Versions)
	return found, nil
}

// groups compares what each role has read with what there is.
func (c *doctorCommand) groups(ctx context.Context, admin *kadm.Client) ([]doctor.Group, error) {
	var groups []doctor.Group
	for _, of := range []struct {
		name, role string
		topics     []string
		isOptional bool
	}{
		{"processor", "processor", []string{schemas.EventsTopic}, false},
		{"dispatcher", "dispatcher", []string{schemas.RunsTopic}, false},
		{"dispatcher.replay", "dispatcher", []string{schemas.ReplayRunsTopic}, true},
		{"eventlog", "eventlog", []string{schemas.EventsTopic, schemas.RejectionsTopic, schemas.DecisionsTopic, schemas.RunsTopic, schemas.DeliveriesTopic}, false},
	} {
		topics := make([]string, len(of.topics))
		for i, topic := range of.topics {
			topics[i] = c.Kafka.Topic(topic)
		}
		group := doctor.Group{Name: c.Kafka.Group(of.name), Role: of.role, IsOptional: of.isOptional}
		// A cluster that never had a group begins to make room for them when it is asked, and has none at first.
		measured, err := backoff.Retry(ctx, func() (doctor.Group, error) {
			measured, err := measure(ctx, admin, group, topics)
			if err != nil && !errors.Is(err, kerr.CoordinatorNotAvailable) {
				err = backoff.Permanent(err)
			}
			return measured, err
		}, backoff.WithMaxElapsedTime(checkTimeout/2))
		if err != nil {
			return groups, fmt.Errorf("asking Kafka for the group %s: %w", group.Name, err)
		}
		groups = append(groups, measured)
	}
	return groups, nil
}

func measure(ctx context.Context, admin *kadm.Client, group doctor.Group, topics []string) (doctor.Group, error) {
	described, err := admin.DescribeGroups(ctx, group.Name)
	if err != nil {
		return group, err
	}
	group.Members = len(described[group.Name].Members)
	committed, commitErr := admin.FetchOffsets(ctx, group.Name)
	if errors.Is(commitErr, kerr.GroupIDNotFound) {
		commitErr = nil // nobody was in it yet
	}
	starts, startErr := admin.ListStartOffsets(ctx, topics...)
	ends, endErr := admin.ListCommittedOffsets(ctx, topics...)
	if err := errors.Join(commitErr, startErr, endErr, starts.Error(), ends.Error()); err != nil {
		return group, err
	}
	for _, end := range ends.Offsets().Sorted() {
		start, _ := starts.Lookup(end.Topic, end.Partition)
		at, isCommitted := committed.Lookup(end.Topic, end.Partition)
		if !isCommitted || at.At < 0 {
			group.Lag += end.At - start.Offset // it begins at the start
			continue
		}
		if at.At < start.Offset || at.At > end.At {
			group.Lost = append(group.Lost, fmt.Sprintf("%s/%d at %d of %d to %d", end.Topic, end.Partition, at.At, start.Offset, end.At))
		}
		group.Lag += max(0, end.At-at.At)
	}
	return group, nil
}

// newestEvent compares the time of the newest event with now. Kafka does not tell its own time to who only asks.
func (c *doctorCommand) newestEvent(ctx context.Context, admin *kadm.Client) []doctor.Finding {
	newest, err := admin.ListMaxTimestampOffsets(ctx, c.Kafka.Topic(schemas.EventsTopic))
	if err = errors.Join(err, newest.Error()); err != nil {
		return []doctor.Finding{doctor.Failed("clocks", fmt.Errorf("asking Kafka for the newest event: %w", err), "the user needs Describe on the topic")}
	}
	latest := int64(0)
	newest.Each(func(o kadm.ListedOffset) { latest = max(latest, o.Timestamp) })
	if latest == 0 {
		return nil // there is none
	}
	return []doctor.Finding{doctor.JudgeNewest(time.Until(time.UnixMilli(latest)))}
}

const clickHouseHint = "see whether the server runs, whether --clickhouse-dsn names it, and whether user and password are right"

func (c *doctorCommand) checkClickHouse(ctx context.Context) []doctor.Finding {
	config := c.ClickHouse
	config.TTL = &c.TTL
	began := time.Now()
	found, err := eventlog.Inspect(ctx, config)
	if err != nil {
		return []doctor.Finding{doctor.Failed("clickhouse", err, clickHouseHint)}
	}
	took := time.Since(began)
	facts := doctor.ClickHouse{
		Version: found.Version, Free: found.Free, HasDatabase: found.HasDatabase,
		Pending: found.Pending, Edited: found.Edited, Unknown: found.Unknown,
	}
	for _, change := range found.TTLs {
		facts.TTLs = append(facts.TTLs, fmt.Sprintf("%s %d days, not %d", change.Table, change.From, change.To))
	}
	// It said the time at some moment in between.
	ahead := found.Now.Sub(began.Add(took / 2))
	return append(doctor.JudgeClickHouse(facts), doctor.JudgeClock("ClickHouse", ahead, took/2))
}
