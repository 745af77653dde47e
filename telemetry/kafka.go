package telemetry

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

// KafkaMetrics counts what the Kafka clients of a role do. One hook serves all of them, however they come and go, and
// their counts add up; the collectors of franz-go's kprom belong to one client each, and end with it. Hooks are called
// for each request or batch, not for each record.
type KafkaMetrics struct {
	connects, failures, throttled prometheus.Counter
	written, read, unanswered     prometheus.Counter
	seconds                       prometheus.Histogram
	produced, fetched             *prometheus.CounterVec // by topic
	producedBytes, fetchedBytes   *prometheus.CounterVec

	all Collectors

	mu      sync.Mutex // guards the field below
	clients map[*kgo.Client]bool
}

var (
	_ kgo.HookNewClient           = (*KafkaMetrics)(nil)
	_ kgo.HookClientClosed        = (*KafkaMetrics)(nil)
	_ kgo.HookBrokerConnect       = (*KafkaMetrics)(nil)
	_ kgo.HookBrokerE2E           = (*KafkaMetrics)(nil)
	_ kgo.HookBrokerThrottle      = (*KafkaMetrics)(nil)
	_ kgo.HookProduceBatchWritten = (*KafkaMetrics)(nil)
	_ kgo.HookFetchBatchRead      = (*KafkaMetrics)(nil)
)

// NewKafkaMetrics returns the metrics of the Kafka clients of a role.
func NewKafkaMetrics(role string) *KafkaMetrics {
	labels := prometheus.Labels{"role": role}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "millrace_kafka_" + name, Help: help, ConstLabels: labels})
	}
	byTopic := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "millrace_kafka_" + name, Help: help, ConstLabels: labels}, []string{"topic"})
	}
	k := &KafkaMetrics{
		clients:       map[*kgo.Client]bool{},
		connects:      counter("connects_total", "Connections to brokers that were opened."),
		failures:      counter("connect_errors_total", "Connections to brokers that could not be opened."),
		throttled:     counter("throttled_total", "Answers with which a broker asked to wait, for its quotas."),
		unanswered:    counter("request_errors_total", "Requests that could not be written, or were not answered."),
		written:       counter("written_bytes_total", "Bytes written to brokers."),
		read:          counter("read_bytes_total", "Bytes read from brokers."),
		produced:      byTopic("produced_records_total", "Records that a broker has acknowledged, by topic."),
		fetched:       byTopic("fetched_records_total", "Records that were fetched, by topic."),
		producedBytes: byTopic("produced_bytes_total", "Bytes of acknowledged records as they are written, compressed, by topic."),
		fetchedBytes:  byTopic("fetched_bytes_total", "Bytes of fetched records as they are read, compressed, by topic."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "millrace_kafka_request_seconds", Help: "From writing a request to a broker to having read its answer. Fetches wait for records and are left out.",
			ConstLabels: labels, Buckets: Buckets(),
		}),
	}
	buffered := func(name, help string, of func(*kgo.Client) int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "millrace_kafka_" + name, Help: help, ConstLabels: labels}, func() float64 { return k.sum(of) })
	}
	k.all = Collectors{
		k.connects, k.failures, k.throttled, k.unanswered, k.written, k.read, k.seconds, k.produced, k.fetched, k.producedBytes, k.fetchedBytes,
		buffered("produce_buffered_records", "Records that wait for a broker's acknowledgement.", (*kgo.Client).BufferedProduceRecords),
		buffered("fetch_buffered_records", "Records that are fetched and not yet read.", (*kgo.Client).BufferedFetchRecords),
	}
	return k
}

// Describe implements prometheus.Collector.
func (k *KafkaMetrics) Describe(descriptions chan<- *prometheus.Desc) { k.all.Describe(descriptions) }

// Collect implements prometheus.Collector.
func (k *KafkaMetrics) Collect(metrics chan<- prometheus.Metric) { k.all.Collect(metrics) }

func (k *KafkaMetrics) sum(of func(*kgo.Client) int64) (total float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for client := range k.clients {
		total += float64(of(client))
	}
	return total
}

// OnNewClient implements kgo.HookNewClient.
func (k *KafkaMetrics) OnNewClient(client *kgo.Client) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clients[client] = true
}

// OnClientClosed implements kgo.HookClientClosed.
func (k *KafkaMetrics) OnClientClosed(client *kgo.Client) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.clients, client)
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (k *KafkaMetrics) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		k.failures.Inc()
		return
	}
	k.connects.Inc()
}

// fetchKey is the protocol's number of a fetch.
const fetchKey = 1

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (k *KafkaMetrics) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, of kgo.BrokerE2E) {
	k.written.Add(float64(of.BytesWritten))
	k.read.Add(float64(of.BytesRead))
	switch {
	case of.Err() != nil && !isEnding(of.Err()):
		k.unanswered.Inc()
	case of.Err() == nil && key != fetchKey:
		k.seconds.Observe(of.DurationE2E().Seconds())
	}
}

// isEnding tells a request that was given up because its client was.
func isEnding(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed)
}

// OnBrokerThrottle implements kgo.HookBrokerThrottle.
func (k *KafkaMetrics) OnBrokerThrottle(kgo.BrokerMetadata, time.Duration, bool) { k.throttled.Inc() }

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (k *KafkaMetrics) OnProduceBatchWritten(_ kgo.BrokerMetadata, topic string, _ int32, of kgo.ProduceBatchMetrics) {
	k.produced.WithLabelValues(topic).Add(float64(of.NumRecords))
	k.producedBytes.WithLabelValues(topic).Add(float64(of.CompressedBytes))
}

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (k *KafkaMetrics) OnFetchBatchRead(_ kgo.BrokerMetadata, topic string, _ int32, of kgo.FetchBatchMetrics) {
	k.fetched.WithLabelValues(topic).Add(float64(of.NumRecords))
	k.fetchedBytes.WithLabelValues(topic).Add(float64(of.CompressedBytes))
}
