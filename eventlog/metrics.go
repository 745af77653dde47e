package eventlog

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/kafka"
)

// metrics is what the event log tells Prometheus. Labels are tables and partitions: few and known.
type metrics struct {
	lag      *prometheus.GaugeVec
	paused   *prometheus.GaugeVec
	rows     *prometheus.CounterVec
	failures *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	stopped  *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) (metrics, error) {
	m := metrics{
		lag: kafka.NewLagGauge(group, "Records of a partition that are committed in Kafka and not yet acknowledged by ClickHouse. The marker that ends a transaction counts as one."),
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
	m.stopped = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "millrace_eventlog_partition_stopped", Help: "1 for a partition that is not read on: Kafka no longer has the offset it goes on from, or the next record was written by a newer version of Millrace. The log says which.",
	}, []string{"topic", "partition"})
	for _, table := range tables() {
		m.rows.WithLabelValues(table.name)
		m.failures.WithLabelValues(table.name)
		m.seconds.WithLabelValues(table.name)
	}
	var problems []error
	for _, collector := range []prometheus.Collector{m.lag, m.paused, m.rows, m.failures, m.seconds, m.stopped} {
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
