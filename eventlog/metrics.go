package eventlog

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lagInterval is how often Kafka is asked how far the event log is behind.
const lagInterval = 5 * time.Second

// metrics is what the event log tells Prometheus. Labels are tables and partitions: few and known.
type metrics struct {
	lag      *prometheus.GaugeVec
	paused   *prometheus.GaugeVec
	rows     *prometheus.CounterVec
	failures *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(registry prometheus.Registerer) (metrics, error) {
	m := metrics{
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "millrace_eventlog_lag_records",
			Help: "Records of a partition that are committed in Kafka and not yet acknowledged by ClickHouse. The marker that ends a transaction counts as one.",
		}, []string{"topic", "partition"}),
		paused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "millrace_eventlog_paused", Help: "1 while partitions of the table's topic are not read because ClickHouse does not keep up.",
		}, []string{"table"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "millrace_eventlog_rows_total", Help: "Records whose row is acknowledged, be it in the table or in the quarantine.",
		}, []string{"table"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "millrace_eventlog_insert_failures_total", Help: "Inserts that ended without a clear answer and are tried again.",
		}, []string{"table"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "millrace_eventlog_insert_seconds", Help: "How long an insert took, with the questions before it.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"table"}),
	}
	var problems []error
	for _, collector := range []prometheus.Collector{m.lag, m.paused, m.rows, m.failures, m.seconds} {
		problems = append(problems, registry.Register(collector))
	}
	return m, errors.Join(problems...)
}

func (m metrics) landed(flight *flight) {
	m.seconds.WithLabelValues(flight.table.name).Observe(flight.took.Seconds())
	if flight.err != nil {
		m.failures.WithLabelValues(flight.table.name).Inc()
		return
	}
	m.rows.WithLabelValues(flight.table.name).Add(float64(len(flight.rows)))
}

// measureLag keeps the lag of the partitions that are owned until ctx ends. Where Kafka does not answer, the last answer
// stands.
func (l *EventLog) measureLag(ctx context.Context, client *kgo.Client) {
	admin := kadm.NewClient(client)
	ticks := time.NewTicker(lagInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		asking, cancel := context.WithTimeout(ctx, lagInterval)
		if err := l.lag(asking, admin); err != nil && ctx.Err() == nil {
			l.log.Debug("event log cannot measure how far it is behind", "error", err)
		}
		cancel()
	}
}

func (l *EventLog) lag(ctx context.Context, admin *kadm.Client) error {
	owned := l.owned()
	committed, err := admin.FetchOffsets(ctx, l.kafka.Group(group))
	if err != nil {
		return err
	}
	topics := make([]string, 0, len(owned))
	for topic := range owned {
		topics = append(topics, topic)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	l.metrics.lag.Reset() // partitions that went to another process are its business
	for topic, numbers := range owned {
		for _, number := range numbers {
			end, _ := ends.Lookup(topic, number)
			reached, _ := starts.Lookup(topic, number)
			at := reached.Offset
			if commit, is := committed.Lookup(topic, number); is {
				at = max(at, commit.At)
			}
			l.metrics.lag.WithLabelValues(topic, strconv.Itoa(int(number))).Set(float64(max(0, end.Offset-at)))
		}
	}
	return nil
}

// owned returns the partitions that this process has.
func (l *EventLog) owned() map[string][]int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	owned := make(map[string][]int32)
	l.each(func(lane *lane) {
		for number := range lane.partitions {
			owned[lane.topic] = append(owned[lane.topic], number)
		}
	})
	return owned
}

// pausedTables tells which tables hold their topics up.
func (m metrics) pausedTables(isPaused map[string]bool) {
	for table, is := range isPaused {
		value := 0.0
		if is {
			value = 1
		}
		m.paused.WithLabelValues(table).Set(value)
	}
}
