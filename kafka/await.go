package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/schemas"
)

// topicsPatience bounds the wait for topics that were just created or changed. A cluster that works needs milliseconds.
const topicsPatience = 30 * time.Second

// awaitTopics waits until every broker knows every topic. The controller answers as soon as a topic is decided on; each
// broker learns of it a little later, and says until then that the topic does not exist.
func (c Config) awaitTopics(ctx context.Context, client *kgo.Client) error {
	if err := await(ctx, func() error { return c.known(ctx, client) }); err != nil {
		return fmt.Errorf("waiting until the brokers know the topics: %w", err)
	}
	return nil
}

// awaitChanges waits until a broker says of topics what they were changed to: of that it learns a little later, too.
func (c Config) awaitChanges(ctx context.Context, admin *kadm.Client, changes []TopicChange) error {
	if len(changes) == 0 {
		return nil
	}
	err := await(ctx, func() error {
		states, err := c.TopicStates(ctx, admin)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if is := states[change.Topic].value(change.Key); is != change.To {
				return fmt.Errorf("topic %s still has %s %s", change.Topic, change.Key, is)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("waiting until the brokers know what has changed: %w", err)
	}
	return nil
}

func await(ctx context.Context, isThere func() error) error {
	pause := &backoff.ExponentialBackOff{InitialInterval: 5 * time.Millisecond, Multiplier: 2, MaxInterval: 500 * time.Millisecond}
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, isThere() },
		backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(topicsPatience))
	return err
}

// known asks each broker that is up at this moment.
func (c Config) known(ctx context.Context, client *kgo.Client) error {
	brokers, err := kadm.NewClient(client).ListBrokers(ctx)
	if err != nil {
		return err
	}
	for _, broker := range brokers {
		request := kmsg.NewPtrMetadataRequest()
		for _, topic := range schemas.Topics() {
			asked := kmsg.NewMetadataRequestTopic()
			asked.Topic = kmsg.StringPtr(c.Topic(topic.Name))
			request.Topics = append(request.Topics, asked)
		}
		answer, err := request.RequestWith(ctx, client.Broker(int(broker.NodeID)))
		if err != nil {
			return fmt.Errorf("asking broker %d: %w", broker.NodeID, err)
		}
		for _, topic := range answer.Topics {
			if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
				return fmt.Errorf("broker %d, topic %s: %w", broker.NodeID, *topic.Topic, err)
			}
		}
	}
	return nil
}
