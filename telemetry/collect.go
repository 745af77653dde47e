package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Collectors are metrics that are registered as one.
type Collectors []prometheus.Collector

// Describe implements prometheus.Collector.
func (c Collectors) Describe(descriptions chan<- *prometheus.Desc) {
	for _, collector := range c {
		collector.Describe(descriptions)
	}
}

// Collect implements prometheus.Collector.
func (c Collectors) Collect(metrics chan<- prometheus.Metric) {
	for _, collector := range c {
		collector.Collect(metrics)
	}
}

// Buckets returns the bounds of histograms of calls, in seconds, from a millisecond to half a minute.
func Buckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

// Counter returns a counter.
func Counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

// Counters returns counters by one label, with a zero for each of the values that are known.
func Counters(name, help, label string, known ...string) *prometheus.CounterVec {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	for _, value := range known {
		counters.WithLabelValues(value)
	}
	return counters
}

// Gauge returns a gauge that is asked for when somebody looks.
func Gauge(name, help string, value func() float64) prometheus.GaugeFunc {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// Seconds returns a histogram of how long something takes.
func Seconds(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: Buckets()})
}
