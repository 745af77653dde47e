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

// topicsPatience bounds the wait for topics that were just created. A cluster that works needs milliseconds.
const topicsPatience = 30 * time.Second

// awaitTopics waits until every broker knows every topic. The controller answers as soon as a topic is decided on; each
// broker learns of it a little later, and says until then that the topic does not exist.
func (c Config) awaitTopics(ctx context.Context, client *kgo.Client) error {
	pause := &backoff.ExponentialBackOff{InitialInterval: 5 * time.Millisecond, Multiplier: 2, MaxInterval: 500 * time.Millisecond}
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, c.known(ctx, client) },
		backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(topicsPatience))
	if err != nil {
		return fmt.Errorf("waiting until the brokers know the topics: %w", err)
	}
	return nil
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
