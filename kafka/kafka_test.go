package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(cluster rig.Cluster) kafka.Config {
	return kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 3, ReplicationFactor: -1, MinInsyncReplicas: 1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
}

func TestEveryTopicIsCreatedAsItIsDescribed(t *testing.T) {
	c := config(rig.Kafka(t))
	c.Topics.LimitTotal(1 << 20)
	for range 2 { // what exists stays as it is
		if err := c.EnsureTopics(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kgo.NewClient(c.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, topic := range schemas.Topics() {
		name := c.Topic(topic.Name)
		want := 3
		if topic.Partitions > 0 {
			want = topic.Partitions
		}
		if got := len(topics[name].Partitions); got != want {
			t.Errorf("%s has %d partitions, want %d", name, got, want)
		}
		total += requireConfigs(t, client, name, topic) * int64(want)
	}
	if total > 1<<20 || total < 1<<19 {
		t.Errorf("the topics may take %d bytes in all, the limit was %d", total, 1<<20)
	}
}

// requireConfigs checks how a topic is cleaned up and returns how large a partition may grow.
func requireConfigs(t *testing.T, client *kgo.Client, name string, topic schemas.Topic) int64 {
	t.Helper()
	described, err := kadm.NewClient(client).DescribeTopicConfigs(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, config := range described[0].Configs {
		values[config.Key] = config.MaybeValue()
	}
	if values["cleanup.policy"] != string(topic.Kind) || values["min.insync.replicas"] != "1" {
		t.Errorf("%s: %v", name, values)
	}
	if topic.Kind == schemas.Table {
		return 0
	}
	kept, err := time.ParseDuration(values["retention.ms"] + "ms")
	if err != nil || kept < topic.Retention {
		t.Errorf("%s keeps its records for %s, want %s", name, kept, topic.Retention)
	}
	bytes, err := time.ParseDuration(values["retention.bytes"] + "ns")
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return int64(bytes)
}

func TestPingTellsWhetherTheClusterAnswers(t *testing.T) {
	fake, cluster := rig.Fake(t)
	if err := config(rig.Kafka(t)).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	c := config(cluster)
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	fake.Close()
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), c.Brokers[0]) {
		t.Errorf("the error does not name the broker: %v", err)
	}
}

func TestSettingsThatCannotWorkAreListedTogether(t *testing.T) {
	if err := config(rig.Cluster{Brokers: []string{"a:1"}}).Validate(); err != nil {
		t.Error(err)
	}
	f := func(change func(*kafka.Config), want ...string) {
		t.Helper()
		c := config(rig.Cluster{Brokers: []string{"a:1"}})
		change(&c)
		err := c.Validate()
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, want it to name %q", err, part)
			}
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret given by mistake is repeated: %v", err)
		}
	}
	f(func(c *kafka.Config) { c.Brokers = []string{"host"} }, "host:port")
	f(func(c *kafka.Config) { c.Topics = kafka.Settings{} }, "partitions", "replication factor", "retention")
	f(func(c *kafka.Config) {
		c.Brokers = []string{"host", "broker.example:9092"}
		c.TLS = kafka.TLS{}
		c.SASL = kafka.SASL{Mechanism: "PLAIN", PasswordRef: "hunter2", TokenRef: "env:TOKEN"}
		c.Topics.Partitions = 0
	}, "host:port", "broker.example:9092", "--kafka-sasl-without-tls", "--kafka-sasl-user", "--kafka-sasl-password", "--kafka-sasl-token", "partitions")
	f(func(c *kafka.Config) { c.TLS = kafka.TLS{CA: "/no/ca.pem", Cert: "/no/cert.pem"} }, "--kafka-tls-ca", "--kafka-tls-key")
	f(func(c *kafka.Config) { c.SASL.User = "user" }, "--kafka-sasl-mechanism", "SCRAM-SHA-512")
	f(func(c *kafka.Config) { c.SASL = kafka.SASL{Mechanism: "SCRAM", User: "user"} }, `"SCRAM"`)
	f(func(c *kafka.Config) {
		c.SASL = kafka.SASL{Mechanism: "OAUTHBEARER", TokenRef: "env:NOT_SET_ANYWHERE", User: "user"}
	}, "--kafka-sasl-token", "NOT_SET_ANYWHERE", "--kafka-sasl-user")
}
