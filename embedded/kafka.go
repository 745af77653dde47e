package embedded

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka is the development broker: one node, no replication, its log in files. Its log survives a kill -9, its
// transactions do not, so the processor must run at_least_once on it.
type Kafka struct{ cluster *kfake.Cluster }

// KafkaConfig holds the development broker's settings.
type KafkaConfig struct {
	Listen string `help:"Address on which the embedded Kafka listens." default:"127.0.0.1:9092" placeholder:"HOST:PORT"`
	Fsync  bool   `help:"Let the embedded Kafka wait for the disk at each write, so that a power loss costs nothing that was answered 204. Slower."`
}

// segmentBytes is how large a log file grows: small, because the log is cut by whole files and read at each start.
const segmentBytes = 8 << 20

// maxBatchBytes is how large a compressed batch may be.
const maxBatchBytes = 64 << 20

// startKafka starts the broker on its files below dataDir.
func startKafka(config KafkaConfig, dataDir string, logger *slog.Logger) (*Kafka, error) {
	options := []kfake.Opt{
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, config.Listen) }),
		kfake.NumBrokers(1),
		kfake.ClusterID("millrace-dev"),
		kfake.DataDir(filepath.Join(dataDir, "kafka")),
		kfake.WithLogger(kafkaLogger{logger}),
		kfake.BrokerConfigs(map[string]string{
			"log.segment.bytes":      fmt.Sprint(segmentBytes),
			"log.cleaner.backoff.ms": "30000", // how often the log is cut; the default is an hour
			// A change of the catalog is one batch here, also where it renames an environment with 100,000 triggers.
			"message.max.bytes": fmt.Sprint(maxBatchBytes),
		}),
	}
	if config.Fsync {
		options = append(options, kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded Kafka on %s: %w", config.Listen, err)
	}
	return &Kafka{cluster}, nil
}

// Addr returns host:port of the broker.
func (k *Kafka) Addr() string { return k.cluster.ListenAddrs()[0] }

// Close saves what the next start needs to be quick and stops the broker.
func (k *Kafka) Close() { k.cluster.Close() }

// kafkaLogger passes the broker's own warnings on.
type kafkaLogger struct{ logger *slog.Logger }

// Logf implements kfake.Logger.
func (l kafkaLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	if kgo.LogLevel(level) <= kgo.LogLevelWarn {
		l.logger.Warn("embedded kafka: " + fmt.Sprintf(format, args...))
	}
}
