package replay

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/telemetry"
)

// metrics is what the replay role tells Prometheus, of all replays together. The API tells each one's progress.
type metrics struct {
	telemetry.Collectors

	read, skipped, created, existed, failed, stumbles prometheus.Counter

	mu   sync.Mutex       // guards the field below
	left map[string]int64 // by replay that is worked on: events of this process's partitions
}

func newMetrics() *metrics {
	events := telemetry.Counters("millrace_replay_events_total", "Events that replays are done with: put to the triggers, or skipped because they are not wanted.", "outcome")
	runs := telemetry.Counters("millrace_replay_runs_total", "Runs of replays: created, or left out because they exist.", "outcome")
	m := &metrics{
		left: map[string]int64{},
		read: events.WithLabelValues("read"), skipped: events.WithLabelValues("skipped"),
		created: runs.WithLabelValues("created"), existed: runs.WithLabelValues("existed"),
		failed:   telemetry.Counter("millrace_replay_errors_total", "Conditions and mappings that failed on events of replays."),
		stumbles: telemetry.Counter("millrace_replay_stumbles_total", "Times that a replay stopped with an error and went on from what is committed."),
	}
	m.Collectors = telemetry.Collectors{
		events, runs, m.failed, m.stumbles,
		telemetry.Gauge("millrace_replay_active", "Replays that this process works on.", func() float64 { active, _ := m.progress(); return active }),
		telemetry.Gauge("millrace_replay_left_events", "Offsets that lie before this process, over the replays it works on.", func() float64 { _, left := m.progress(); return left }),
	}
	return m
}

func (m *metrics) progress() (active, left float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, events := range m.left {
		left += float64(events)
	}
	return float64(len(m.left)), left
}

// reached counts what a round has committed of a replay.
func (m *metrics) reached(id string, chunks []*chunk, partitions map[int32]*partition) {
	for _, c := range chunks {
		m.read.Add(float64(c.counts.Read))
		m.skipped.Add(float64(c.counts.Skipped))
		m.created.Add(float64(c.counts.Created))
		m.existed.Add(float64(c.counts.Existed))
		for _, times := range c.counts.Errors {
			m.failed.Add(float64(times))
		}
	}
	left := int64(0)
	for _, p := range partitions {
		left += p.end - p.position
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left[id] = left
}

func (m *metrics) ended(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.left, id)
}

// Metrics returns what to register for Prometheus.
func (r *Replay) Metrics() prometheus.Collector { return r.metrics }
