// Package kafka is the only place that knows how to reach a broker: it turns the connection settings into client
// options, names the topics, and creates or reconciles them. A role takes the options from here and adds only what
// concerns its own reading and writing. A nil error from Ping means that the cluster answers.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config says how to reach the cluster and what its topics are called.
type Config struct {
	Brokers     []string `help:"Kafka brokers to start from, host:port." placeholder:"HOST:PORT"`
	TopicPrefix string   `help:"What every topic name begins with." default:"millrace."`
	ClientID    string   `help:"Name under which the brokers see this process." default:"millrace"`
	TLS         TLS      `embed:"" prefix:"tls-"`
	SASL        SASL     `embed:"" prefix:"sasl-"`
	Topics      Settings `embed:"" prefix:"topics-"`

	// Hooks are told what every client does, for its metrics.
	Hooks []kgo.Hook `kong:"-"`
}

// Validate reports every setting that cannot work. No brokers at all is left to the one who connects.
func (c Config) Validate() error {
	var problems []error
	for _, broker := range c.Brokers {
		if !strings.Contains(broker, ":") {
			problems = append(problems, fmt.Errorf("kafka broker %q: give host:port", broker))
			continue
		}
		problems = append(problems, c.checkSecrecy(broker))
	}
	problems = append(problems, c.TLS.validate(), c.SASL.validate())
	return errors.Join(append(problems, c.Topics.Validate())...)
}

// Options returns the client options that every role starts from.
func (c Config) Options() []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.RetryTimeout(30 * time.Second),
		kgo.Dialer(c.dial),
		kgo.RequestTimeoutOverhead(10 * time.Second),
		// Closing a client would send the last of them first, and wait for a broker that is gone.
		kgo.DisableClientMetrics(),
		kgo.WithHooks(c.Hooks...),
	}
	if c.SASL.isOn() {
		options = append(options, kgo.SASL(c.SASL.mechanism()))
	}
	return options
}

// Topic returns the broker's name of one of the topics in schemas.
func (c Config) Topic(name string) string { return c.TopicPrefix + name }

// Group returns the broker's name of a role's consumer group.
func (c Config) Group(role string) string { return c.TopicPrefix + role }

// Ping asks the cluster for a sign of life, once.
func (c Config) Ping(ctx context.Context) error {
	client, err := kgo.NewClient(c.Options()...)
	if err != nil {
		return fmt.Errorf("connecting to Kafka at %s: %w", strings.Join(c.Brokers, ", "), err)
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("reaching Kafka at %s: %w", strings.Join(c.Brokers, ", "), c.Explain(err))
	}
	return nil
}
