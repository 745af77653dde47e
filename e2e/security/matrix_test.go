package security

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

// TestARoleReachesNoTopicButItsOwn lets each role write to every topic and read every topic.
func TestARoleReachesNoTopicButItsOwn(t *testing.T) {
	w := newWorld(t)
	rig.Eventually(t, "the topics exist", func() error { return w.user("topics").EnsureTopics(t.Context()) })
	for _, role := range kafka.Roles() {
		t.Run(role, func(t *testing.T) {
			c := w.user(role)
			client, err := kgo.NewClient(append(c.Options(), kgo.RecordDeliveryTimeout(10*time.Second),
				// Without a topic that it may write to, a producer would get no ID and not come to the topic.
				kgo.DisableIdempotentWrite(), kgo.MetadataMinAge(10*time.Millisecond))...)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for _, topic := range schemas.Topics() {
				name := c.Topic(topic.Name)
				err := client.ProduceSync(t.Context(), &kgo.Record{Topic: name, Key: []byte("k")}).FirstErr()
				requireOnly(t, w.may(c, role, name, kmsg.ACLOperationWrite), "write to "+name, err)
				requireOnly(t, w.may(c, role, name, kmsg.ACLOperationRead), "read "+name, fetch(t.Context(), client, name))
			}
		})
	}
}

func (w *world) may(c kafka.Config, role, topic string, operation kmsg.ACLOperation) bool {
	w.t.Helper()
	permissions, err := c.Permissions(role)
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.ContainsFunc(permissions, func(p kafka.Permission) bool {
		return p.Resource == kmsg.ACLResourceTypeTopic && p.Name == topic && slices.Contains(p.Operations, operation)
	})
}

func requireOnly(t *testing.T, isAllowed bool, what string, err error) {
	t.Helper()
	switch {
	case isAllowed && err != nil:
		t.Errorf("it cannot %s: %v", what, err)
	case !isAllowed && !errors.Is(err, kerr.TopicAuthorizationFailed):
		t.Errorf("it can %s, or fails for another reason: %v", what, err)
	}
}

// fetch asks partition 0 for its records.
func fetch(ctx context.Context, client *kgo.Client, topic string) error {
	details, err := kadm.NewClient(client).ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	if err := details[topic].Err; err != nil {
		return err
	}
	leader, isKnown := details[topic].Partitions[0]
	if !isKnown {
		return fmt.Errorf("%s has no partition 0", topic)
	}
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes, request.SessionEpoch = 1<<20, -1
	asked := kmsg.NewFetchRequestTopic()
	asked.Topic, asked.TopicID = topic, details[topic].ID
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes, partition.CurrentLeaderEpoch = 1<<20, -1
	asked.Partitions = append(asked.Partitions, partition)
	request.Topics = append(request.Topics, asked)
	answer, err := request.RequestWith(ctx, client.Broker(int(leader.Leader)))
	if err != nil {
		return err
	}
	for _, topic := range answer.Topics {
		for _, partition := range topic.Partitions {
			return kerr.ErrorForCode(partition.ErrorCode)
		}
	}
	return errors.Join(kerr.ErrorForCode(answer.ErrorCode), errors.New("no partition was answered"))
}
