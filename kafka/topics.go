package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/schemas"
)

// Settings are what the topics are created with.
type Settings struct {
	Partitions        int           `help:"Partitions of each topic that may have several. They can grow, but then the dedup window starts anew." default:"6"`
	ReplicationFactor int16         `help:"Replicas of each partition; -1 takes the brokers' default." default:"-1"`
	MinInsyncReplicas int           `help:"Replicas that must have an event before it is answered 204; 0 takes the brokers' default. Never lowered on a topic that exists." default:"0"`
	Retention         time.Duration `help:"How long records are kept at least; topics that need longer keep theirs." default:"72h"`
	RetentionBytes    int64         `help:"How large a partition may grow; -1 is without limit." default:"-1"`

	eventsBytes int64 // what a partition of events may take instead, if above 0
}

// Validate reports every setting that cannot work.
func (s Settings) Validate() error {
	var problems []error
	if s.Partitions < 1 {
		problems = append(problems, fmt.Errorf("topic partitions %d: must be at least 1", s.Partitions))
	}
	if s.ReplicationFactor == 0 || s.ReplicationFactor < -1 {
		problems = append(problems, fmt.Errorf("topic replication factor %d: must be -1 or at least 1", s.ReplicationFactor))
	}
	if s.Retention < schemas.InputRetention {
		problems = append(problems, fmt.Errorf("topic retention %s: must be at least %s, the dedup index is rebuilt from the events", s.Retention, schemas.InputRetention))
	}
	return errors.Join(problems...)
}

// EnsureTopics creates the topics that are missing and leaves the others as they are, and returns when every broker
// knows them. It is safe to call from several processes at once.
func (c Config) EnsureTopics(ctx context.Context) error {
	client, err := kgo.NewClient(c.Options()...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for _, topic := range schemas.Topics() {
		if err := c.ensure(ctx, admin, topic); err != nil {
			return fmt.Errorf("creating topic %s: %w", c.Topic(topic.Name), c.Explain(err))
		}
	}
	return c.awaitTopics(ctx, client)
}

func (c Config) ensure(ctx context.Context, admin *kadm.Client, topic schemas.Topic) error {
	partitions := int32(c.Topics.Partitions)
	if topic.Partitions > 0 {
		partitions = int32(topic.Partitions)
	}
	response, err := admin.CreateTopic(ctx, partitions, c.Topics.ReplicationFactor, c.Topics.configs(topic), c.Topic(topic.Name))
	if err == nil {
		err = response.Err
	}
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	return err
}

func (s Settings) configs(topic schemas.Topic) map[string]*string {
	text := func(value string) *string { return &value }
	configs := map[string]*string{"cleanup.policy": text(string(topic.Kind))}
	if topic.Kind == schemas.Stream {
		configs["retention.ms"] = text(strconv.FormatInt(max(s.Retention, topic.Retention).Milliseconds(), 10))
		configs["retention.bytes"] = text(strconv.FormatInt(s.bytes(topic), 10))
	}
	if s.MinInsyncReplicas > 0 {
		configs["min.insync.replicas"] = text(strconv.Itoa(s.MinInsyncReplicas))
	}
	return configs
}

func (s Settings) bytes(topic schemas.Topic) int64 {
	if topic.Name == schemas.EventsTopic && s.eventsBytes > 0 {
		return s.eventsBytes
	}
	return s.RetentionBytes
}

// LimitTotal bounds what the topics take in all, for a broker with little room, unless a bound is set already. Events
// get half of it: the longer they stay, the longer a repeat is recognised after a restart.
func (s *Settings) LimitTotal(bytes int64) {
	if s.RetentionBytes >= 0 {
		return
	}
	var streams int64
	for _, topic := range schemas.Topics() {
		if topic.Kind == schemas.Stream {
			streams++
		}
	}
	partitions := int64(max(s.Partitions, 1))
	s.eventsBytes = bytes / 2 / partitions
	s.RetentionBytes = bytes / 2 / (streams - 1) / partitions
}
