package telemetry

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// HTTPMetrics counts the requests to a role's HTTP server by route, as routes are declared: what comes from outside is
// no label.
type HTTPMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewHTTPMetrics returns the metrics of a role's HTTP server.
func NewHTTPMetrics(role string) *HTTPMetrics {
	return &HTTPMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "millrace_" + role + "_requests_total", Help: "Requests by method, route and the status they were answered with.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "millrace_" + role + "_request_seconds", Help: "From having read a request to its answer, by route. Of an answer in parts it is the first part.", Buckets: Buckets(),
		}, []string{"route"}),
	}
}

// Describe implements prometheus.Collector.
func (h *HTTPMetrics) Describe(descriptions chan<- *prometheus.Desc) {
	Collectors{h.requests, h.seconds}.Describe(descriptions)
}

// Collect implements prometheus.Collector.
func (h *HTTPMetrics) Collect(metrics chan<- prometheus.Metric) {
	Collectors{h.requests, h.seconds}.Collect(metrics)
}

// Count is the handler that all others stand behind. Errors are answered here, because only then their status is known.
func (h *HTTPMetrics) Count(c *fiber.Ctx) error {
	began := time.Now()
	if err := c.Next(); err != nil {
		if err := c.App().ErrorHandler(c, err); err != nil {
			return err
		}
	}
	route := c.Route()
	method := route.Method
	if method == "" {
		method = "other"
	}
	h.requests.WithLabelValues(method, route.Path, strconv.Itoa(c.Response().StatusCode())).Inc()
	h.seconds.WithLabelValues(route.Path).Observe(time.Since(began).Seconds())
	return nil
}
