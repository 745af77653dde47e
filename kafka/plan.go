package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// TopicState is a topic as the brokers have it.
type TopicState struct {
	Exists      bool
	Partitions  int
	Replication int               // replicas of the partition that has the fewest
	Configs     map[string]string // what applies, the brokers' defaults included
}

// TopicChange is one step from what is to what is wanted. A config's Key is Kafka's name for it; partitions and
// replication are under those names.
type TopicChange struct {
	Topic string `json:"topic"` // the brokers' name
	Key   string `json:"key"`   // "" creates the topic
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	// Kept says why what is there stays: it is more than is wanted, and does no harm.
	Kept string `json:"kept,omitempty"`
	// Refused says why the step is not made although it is needed, and what to do.
	Refused string `json:"refused,omitempty"`
}

// IsStep tells whether there is something to do that ApplyTopics does.
func (c TopicChange) IsStep() bool { return c.Kept == "" && c.Refused == "" }

// The keys of a TopicChange that are no configs.
const (
	PartitionsKey  = "partitions"
	ReplicationKey = "replication"
)

const (
	minInsyncKey      = "min.insync.replicas"
	retentionKey      = "retention.ms"
	retentionBytesKey = "retention.bytes"
	cleanupKey        = "cleanup.policy"
)

// PlanTopics says what would have to be done to have every topic as schemas and settings want it. It is a function of
// what it is given: see TopicStates. With addPartitions, topics get more partitions where they have too few.
func (c Config) PlanTopics(states map[string]TopicState, addPartitions bool) []TopicChange {
	var changes []TopicChange
	for _, topic := range schemas.Topics() {
		state := states[c.Topic(topic.Name)]
		if !state.Exists {
			changes = append(changes, TopicChange{Topic: c.Topic(topic.Name), To: fmt.Sprintf("%d partitions", c.partitions(topic))})
			continue
		}
		for _, change := range c.planTopic(topic, state, addPartitions) {
			change.Topic = c.Topic(topic.Name)
			changes = append(changes, change)
		}
	}
	return changes
}

// partitions returns how many partitions a topic is to have.
func (c Config) partitions(topic schemas.Topic) int {
	return cmp.Or(topic.Partitions, c.Topics.Partitions)
}

func (c Config) planTopic(topic schemas.Topic, state TopicState, addPartitions bool) []TopicChange {
	var changes []TopicChange
	if want := c.partitions(topic); want != state.Partitions {
		changes = append(changes, planPartitions(topic, state.Partitions, want, addPartitions))
	}
	if want := int(c.Topics.ReplicationFactor); want > 0 && want != state.Replication {
		changes = append(changes, TopicChange{
			Key: ReplicationKey, From: strconv.Itoa(state.Replication), To: strconv.Itoa(want),
			Refused: "replicas are moved by Kafka's own tools (kafka-reassign-partitions), which know the brokers' load",
		})
	}
	wanted := c.Topics.configs(topic)
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		from, to := state.Configs[key], *wanted[key]
		if from != to {
			changes = append(changes, planConfig(key, from, to))
		}
	}
	return changes
}

func planPartitions(topic schemas.Topic, from, to int, isAllowed bool) TopicChange {
	change := TopicChange{Key: PartitionsKey, From: strconv.Itoa(from), To: strconv.Itoa(to)}
	switch {
	case topic.Partitions > 0:
		change.Refused = "the topic needs a total order and so one partition; make it anew, or give the topics another prefix"
	case to < from:
		change.Kept = "Kafka cannot take partitions away"
	case !isAllowed:
		change.Refused = "keys would go to other partitions than before, so that the dedup window starts anew and orders end; --add-partitions does it all the same"
	}
	return change
}

// planConfig never lets go of what cannot be had back.
func planConfig(key, from, to string) TopicChange {
	change := TopicChange{Key: key, From: from, To: to}
	switch {
	case key == cleanupKey:
		change.Refused = "records would be lost; find out who has changed it, and set it back by hand"
	case key == minInsyncKey && number(to) < number(from):
		change.Kept = "it is never lowered: fewer replicas would have an event before it is answered 204"
	case (key == retentionKey || key == retentionBytesKey) && (isUnlimited(from) || !isUnlimited(to) && number(to) < number(from)):
		change.Kept = "it is never lowered: records would be lost, and the dedup index is made anew from them"
	}
	return change
}

// isUnlimited tells whether a bound of retention is none.
func isUnlimited(value string) bool { return number(value) < 0 }

// number reads a config; one that is none counts as 0.
func number(value string) int64 {
	read, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0
	}
	return read
}

// value is what the topic has for the key of a change.
func (s TopicState) value(key string) string {
	if key == PartitionsKey {
		return strconv.Itoa(s.Partitions)
	}
	return s.Configs[key]
}

// TopicStates asks the brokers how the topics are, by their names there.
func (c Config) TopicStates(ctx context.Context, admin *kadm.Client) (map[string]TopicState, error) {
	names := make([]string, 0, len(schemas.Topics()))
	for _, topic := range schemas.Topics() {
		names = append(names, c.Topic(topic.Name))
	}
	details, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("asking Kafka for the topics: %w", err)
	}
	states := map[string]TopicState{}
	var existing []string
	for _, detail := range details {
		if errors.Is(detail.Err, kerr.UnknownTopicOrPartition) {
			continue
		}
		if detail.Err != nil {
			return nil, fmt.Errorf("asking Kafka for topic %s: %w", detail.Topic, detail.Err)
		}
		existing = append(existing, detail.Topic)
		states[detail.Topic] = TopicState{Exists: true, Partitions: len(detail.Partitions), Replication: detail.Partitions.NumReplicas(), Configs: map[string]string{}}
	}
	if len(existing) == 0 {
		return states, nil
	}
	described, err := admin.DescribeTopicConfigs(ctx, existing...)
	if err != nil {
		return nil, fmt.Errorf("asking Kafka for the topics' settings: %w", err)
	}
	for _, topic := range described {
		if topic.Err != nil {
			return nil, fmt.Errorf("asking Kafka for the settings of topic %s: %w", topic.Name, topic.Err)
		}
		for _, config := range topic.Configs {
			states[topic.Name].Configs[config.Key] = config.MaybeValue()
		}
	}
	return states, nil
}

// Admin connects for questions and changes. Close it after use.
func (c Config) Admin() (*kadm.Client, error) {
	// Whoever asks again wants to know what has become of it.
	client, err := kgo.NewClient(append(c.Options(), kgo.MetadataMinAge(10*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("connecting to Kafka: %w", err)
	}
	return kadm.NewClient(client), nil
}
