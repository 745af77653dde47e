package catalog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/rig"
	"github.com/millrace/millrace/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCluster returns a broker with the topics on it.
func newCluster(t testing.TB) kafka.Config {
	t.Helper()
	return clusterConfig(t, rig.Kafka(t))
}

func clusterConfig(t testing.TB, cluster rig.Cluster) kafka.Config {
	t.Helper()
	config := kafka.Config{
		Brokers: cluster.Brokers, TopicPrefix: cluster.TopicPrefix, ClientID: "test",
		Topics: kafka.Settings{Partitions: 2, ReplicationFactor: -1, Retention: schemas.InputRetention, RetentionBytes: -1},
	}
	if err := config.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	return config
}

// open returns a reader that is running and a writer on top of it.
func open(t *testing.T, config kafka.Config) (*catalog.Reader, *catalog.Writer) {
	t.Helper()
	reader, err := catalog.NewReader(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	writer, err := catalog.NewWriter(config, reader, slog.New(slog.DiscardHandler), catalog.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		writer.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"development", "production"} {
		if err := writer.EnsureEnvironment(t.Context(), schemas.Environment{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return reader, writer
}

func newSource(t *testing.T, writer *catalog.Writer, name string) schemas.Source {
	t.Helper()
	source, err := writer.CreateSource(t.Context(), schemas.Source{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func trigger(source, event string) schemas.Trigger {
	return schemas.Trigger{Environment: "production", SourceID: source, Event: event, Workflow: "welcome", Condition: "data.plan != nil"}
}

// patience bounds a failing test; it is no expectation.
const patience = 60 * time.Second

// follow returns a reader that is running.
func follow(t testing.TB, config kafka.Config) *catalog.Reader {
	t.Helper()
	reader, err := catalog.NewReader(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return reader
}

func newWriter(t testing.TB, config kafka.Config, reader *catalog.Reader, options catalog.WriterOptions) *catalog.Writer {
	t.Helper()
	writer, err := catalog.NewWriter(config, reader, slog.New(slog.DiscardHandler), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Close)
	return writer
}

// readAudit returns the first count records of the audit topic.
func readAudit(t testing.TB, config kafka.Config, count int) []schemas.AuditEntry {
	t.Helper()
	client, err := kgo.NewClient(append(config.Options(), kgo.ConsumeTopics(config.Topic(schemas.AuditTopic)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var entries []schemas.AuditEntry
	for len(entries) < count {
		for _, record := range client.PollFetches(ctx).Records() {
			var entry schemas.AuditEntry
			if err := json.Unmarshal(record.Value, &entry); err != nil {
				t.Fatal(err)
			}
			entries = append(entries, entry)
		}
		if ctx.Err() != nil {
			t.Fatalf("%d audit records, want %d", len(entries), count)
		}
	}
	return entries
}

// produce writes a record into the catalog as another version would; an empty value deletes.
func produce(t testing.TB, config kafka.Config, key, value string) {
	t.Helper()
	client, err := kgo.NewClient(config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	record := &kgo.Record{Topic: config.Topic(schemas.CatalogTopic), Key: []byte(key)}
	if value != "" {
		record.Value = []byte(value)
	}
	if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// dump returns everything that a topic holds up to its end, as text.
func dump(t *testing.T, options []kgo.Opt, topic string) string {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.ConsumeTopics(topic), kgo.FetchMaxWait(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var text bytes.Buffer
	for text.Len() == 0 && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			text.Write(record.Key)
			text.Write(record.Value)
		})
	}
	return text.String()
}
