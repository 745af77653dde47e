package catalog

import "github.com/prometheus/client_golang/prometheus"

// Metrics returns what to register for Prometheus, once for all roles that share the reader.
func (r *Reader) Metrics() prometheus.Collector { return readerMetrics{r, newDescriptions()} }

// readerMetrics looks at a reader when somebody asks.
type readerMetrics struct {
	reader *Reader
	descriptions
}

type descriptions struct{ revision, age *prometheus.Desc }

func newDescriptions() descriptions {
	return descriptions{
		revision: prometheus.NewDesc("millrace_catalog_revision", "Offset up to which the catalog has been read. Processes that differ for long do not see the same catalog.", nil, nil),
		age: prometheus.NewDesc("millrace_catalog_snapshot_timestamp_seconds",
			"When the catalog in use was read, as Unix time: the last time it changed, or the start. 0 before it has been read.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m readerMetrics) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- m.revision
	descriptions <- m.age
}

// Collect implements prometheus.Collector.
func (m readerMetrics) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(of *prometheus.Desc, value float64) {
		metrics <- prometheus.MustNewConstMetric(of, prometheus.GaugeValue, value)
	}
	now := m.reader.state.Load()
	gauge(m.revision, float64(now.next))
	at := 0.0
	if !now.at.IsZero() {
		at = float64(now.at.UnixMilli()) / 1000
	}
	gauge(m.age, at)
}
