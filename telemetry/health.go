package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Readiness says whether a role can do its work now, and if not, what it waits for.
type Readiness struct {
	Ready bool `json:"ready"`
	// Waiting is what is missing.
	Waiting []string `json:"waiting,omitempty"`
	// Partitions says, by partition, "ready" or what it waits for. One that waits holds up no other.
	Partitions map[int32]string `json:"partitions,omitempty"`
	// Warnings are what somebody should mend, though work goes on.
	Warnings []string `json:"warnings,omitempty"`
}

// WaitingFor returns the readiness of a role that waits for what is listed; for nothing, it is ready.
func WaitingFor(missing ...string) Readiness {
	return Readiness{Ready: len(missing) == 0, Waiting: missing}
}

// State is what /readyz answers: with 200 when all roles of the process are ready, otherwise with 503.
type State struct {
	Ready bool                 `json:"ready"`
	Roles map[string]Readiness `json:"roles"`
}

// Health knows how ready the roles of a process are.
type Health struct {
	mu    sync.Mutex // guards the field below
	roles map[string]func(context.Context) Readiness

	about *prometheus.Desc
}

// NewHealth returns the health of a process that is to run roles. None is ready before it reports.
func NewHealth(roles ...string) *Health {
	h := &Health{
		roles: map[string]func(context.Context) Readiness{},
		about: prometheus.NewDesc("millrace_ready", "1 where a role is ready, as /readyz says with the reasons, else 0.", []string{"role"}, nil),
	}
	for _, role := range roles {
		h.roles[role] = func(context.Context) Readiness { return WaitingFor("its start") }
	}
	return h
}

// Report makes ready the answer for a role. It is called for each request, by several goroutines, and should return
// soon after its context ends.
func (h *Health) Report(role string, ready func(context.Context) Readiness) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.roles[role] = ready
}

// probeTimeout bounds what the roles may ask Kafka, ClickHouse or an API for one answer. Whoever does not answer them
// within it is not there. Probes of orchestrators often wait for no longer than three seconds.
const probeTimeout = 2 * time.Second

// Readiness asks all roles side by side.
func (h *Health) Readiness(ctx context.Context) State {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	h.mu.Lock()
	asked := make(map[string]func(context.Context) Readiness, len(h.roles))
	for role, ready := range h.roles {
		asked[role] = ready
	}
	h.mu.Unlock()
	answers := make(map[string]<-chan Readiness, len(asked))
	for role, ready := range asked {
		answer := make(chan Readiness, 1)
		go func() { answer <- ready(ctx) }()
		answers[role] = answer
	}
	state := State{Ready: true, Roles: make(map[string]Readiness, len(asked))}
	for role, answer := range answers {
		state.Roles[role] = await(ctx, answer)
		state.Ready = state.Ready && state.Roles[role].Ready
	}
	return state
}

// await waits for a role's answer until ctx ends: a role that is stuck in a call is told of, and not waited for.
func await(ctx context.Context, answer <-chan Readiness) Readiness {
	select {
	case ready := <-answer:
		return ready
	case <-ctx.Done():
	}
	select {
	case ready := <-answer:
		return ready
	default:
		return WaitingFor("a call that has not ended")
	}
}

// Describe implements prometheus.Collector.
func (h *Health) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- h.about }

// Collect implements prometheus.Collector: a scrape asks what /readyz asks.
func (h *Health) Collect(metrics chan<- prometheus.Metric) {
	for role, answer := range h.Readiness(context.Background()).Roles {
		value := 0.0
		if answer.Ready {
			value = 1
		}
		metrics <- prometheus.MustNewConstMetric(h.about, prometheus.GaugeValue, value, role)
	}
}
