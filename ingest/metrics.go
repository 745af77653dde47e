package ingest

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/telemetry"
)

// shedding is why an event was answered 503.
type shedding int

const (
	tooMany        shedding = iota // wait for their acknowledgement
	bufferFull                     // towards Kafka
	unacknowledged                 // in time
	refused                        // by Kafka
	sheddings
)

func (s shedding) String() string {
	return [...]string{"too_many_in_flight", "buffer_full", "not_acknowledged", "refused_by_kafka"}[s]
}

// statuses are the answers there are; anything else the server itself may answer counts as "other".
func statuses() []int {
	return []int{
		fiber.StatusNoContent, fiber.StatusBadRequest, fiber.StatusUnauthorized, fiber.StatusNotFound, fiber.StatusMethodNotAllowed,
		fiber.StatusRequestEntityTooLarge, fiber.StatusUnsupportedMediaType, fiber.StatusUnprocessableEntity, fiber.StatusServiceUnavailable,
	}
}

// metrics is what ingest tells Prometheus. Counters are bound to their labels here, so that counting is one addition.
type metrics struct {
	telemetry.Collectors

	byStatus map[int]prometheus.Counter
	other    prometheus.Counter
	taken    prometheus.Counter // byStatus of 204
	bytes    prometheus.Counter
	seconds  prometheus.Histogram
	shed     [sheddings]prometheus.Counter
}

func newMetrics(inFlight *atomic.Int64) *metrics {
	requests := telemetry.Counters("millrace_ingest_requests_total",
		"Requests to endpoints, and to paths that are none, by the status they were answered with. 204 is an event that is in Kafka.", "status")
	shed := telemetry.Counters("millrace_ingest_shed_total", "Events that were answered 503, by what was exhausted. Their senders come again.", "reason")
	m := &metrics{
		byStatus: map[int]prometheus.Counter{},
		bytes:    telemetry.Counter("millrace_ingest_event_bytes_total", "Bytes of the bodies of events that are in Kafka."),
		seconds:  telemetry.Seconds("millrace_ingest_acknowledge_seconds", "From having read a request to the brokers' acknowledgement of its event."),
	}
	for _, status := range statuses() {
		m.byStatus[status] = requests.WithLabelValues(strconv.Itoa(status))
	}
	m.other, m.taken = requests.WithLabelValues("other"), m.byStatus[fiber.StatusNoContent]
	for reason := range sheddings {
		m.shed[reason] = shed.WithLabelValues(reason.String())
	}
	m.Collectors = telemetry.Collectors{requests, shed, m.bytes, m.seconds, telemetry.Gauge("millrace_ingest_in_flight_events",
		"Events that wait for their acknowledgement.", func() float64 { return float64(inFlight.Load()) })}
	return m
}

func (m *metrics) stored(bytes int, took time.Duration) {
	m.taken.Inc()
	m.bytes.Add(float64(bytes))
	m.seconds.Observe(took.Seconds())
}

func (m *metrics) answered(status int) {
	if counter, known := m.byStatus[status]; known {
		counter.Inc()
		return
	}
	m.other.Inc()
}

// Metrics returns what to register for Prometheus.
func (i *Ingest) Metrics() prometheus.Collector { return i.metrics }
