package dispatcher

import (
	"net/http"
	"sync/atomic"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// class says in short what the workflow API answered.
type class int

const (
	success class = iota
	redirect
	refused // 4xx
	tooMany // 429
	broken  // 5xx
	timeout
	noAnswer
	notTried // too old
	classes
)

func (c class) String() string {
	return [...]string{"2xx", "3xx", "4xx", "429", "5xx", "timeout", "no_answer", "not_tried"}[c]
}

func (a answer) class() class {
	switch {
	case a.isTimeout:
		return timeout
	case a.err != nil:
		return noAnswer
	case a.status == http.StatusTooManyRequests:
		return tooMany
	case a.status >= 500:
		return broken
	case a.status >= 400:
		return refused
	case a.status >= 300:
		return redirect
	}
	return success
}

// metrics is what the dispatcher tells Prometheus. Neither environments nor workflows are labels: they come from outside
// and are many. The event log tells them apart.
type metrics struct {
	telemetry.Collectors

	attempts                    map[schemas.DeliveryOutcome][classes]prometheus.Counter
	parked, passedOver, skipped prometheus.Counter
	seconds                     prometheus.Histogram
	inFlight                    atomic.Int64
	lag                         *prometheus.GaugeVec
}

func newMetrics(d *Dispatcher) *metrics {
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "millrace_dispatcher_attempts_total",
		Help: "Attempts to start a run, by what became of the run and what the workflow API answered. A run that is dead is a dead letter.",
	}, []string{"outcome", "class"})
	m := &metrics{
		attempts:   map[schemas.DeliveryOutcome][classes]prometheus.Counter{},
		parked:     telemetry.Counter("millrace_dispatcher_parked_total", "Times that a run was put into a retry topic to wait for its next attempt."),
		passedOver: telemetry.Counter("millrace_dispatcher_passed_over_total", "Runs that were put into a retry topic untried, because too many runs of their workflow wait."),
		skipped:    telemetry.Counter("millrace_dispatcher_skipped_total", "Runs that were not sent again because they had been delivered before."),
		seconds:    telemetry.Seconds("millrace_dispatcher_call_seconds", "How long calls to workflow APIs took, their answers included."),
		lag: kafka.NewLagGauge(role, "Records of a partition of the runs and retry topics that are in Kafka and not decided up to the last commit. "+
			"Markers of transactions count, too, and so do runs in a retry topic that is not due."),
	}
	for _, outcome := range []schemas.DeliveryOutcome{schemas.Delivered, schemas.Retrying, schemas.Dead} {
		var counters [classes]prometheus.Counter
		for class := range classes {
			counters[class] = attempts.WithLabelValues(string(outcome), class.String())
		}
		m.attempts[outcome] = counters
	}
	m.Collectors = telemetry.Collectors{
		attempts, m.parked, m.passedOver, m.skipped, m.seconds, m.lag,
		breakers{d.gates, breakersDescription()},
		telemetry.Gauge("millrace_dispatcher_calls_in_flight", "Calls to workflow APIs that are not answered yet.", func() float64 { return float64(m.inFlight.Load()) }),
		telemetry.Gauge("millrace_dispatcher_outstanding_runs", "Runs that are in memory and not decided.", d.outstanding),
		telemetry.Gauge("millrace_dispatcher_stopped_partitions",
			"Partitions that are not read on because the next run was written by a newer version of Millrace: /readyz says where.", d.stoppedCount),
	}
	return m
}

func (m *metrics) attempted(outcome schemas.DeliveryOutcome, how class) {
	m.attempts[outcome][how].Inc()
}

// Metrics returns what to register for Prometheus.
func (d *Dispatcher) Metrics() prometheus.Collector { return d.metrics }

// breakers counts the workflows by the state of their breaker.
type breakers struct {
	gates *gates
	about *prometheus.Desc
}

func breakersDescription() *prometheus.Desc {
	return prometheus.NewDesc("millrace_dispatcher_workflows",
		"Workflows that were called since the start, by whether they are: closed means called, open means left alone because most calls fail, half_open that a call finds out.",
		[]string{"breaker"}, nil)
}

// Describe implements prometheus.Collector.
func (b breakers) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- b.about }

// Collect implements prometheus.Collector.
func (b breakers) Collect(metrics chan<- prometheus.Metric) {
	states := b.gates.states()
	tell := func(name string, state circuitbreaker.State) {
		metrics <- prometheus.MustNewConstMetric(b.about, prometheus.GaugeValue, float64(states[state]), name)
	}
	tell("closed", circuitbreaker.ClosedState)
	tell("open", circuitbreaker.OpenState)
	tell("half_open", circuitbreaker.HalfOpenState)
}
