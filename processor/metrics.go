package processor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/telemetry"
)

// tally counts what is decided. Deciders have one each, which is added to the batch's with each piece, and that to the
// metrics when the batch is committed: events that come again after a rollback count once.
type tally struct {
	processed, duplicates, unbound, failed, runs int
	rules                                        time.Duration
}

func (t *tally) note(d *decision) {
	t.runs += len(d.Runs)
	switch d.Status {
	case schemas.Processed:
		t.processed++
	case schemas.Duplicate:
		t.duplicates++
	case schemas.NoTrigger:
		t.unbound++
	case schemas.Failed:
		t.failed++
	case schemas.AnyStatus: // a filter's, and no decision's
	}
}

func (t *tally) add(more tally) {
	t.processed += more.processed
	t.duplicates += more.duplicates
	t.unbound += more.unbound
	t.failed += more.failed
	t.runs += more.runs
	t.rules += more.rules
}

// metrics is what the processor tells Prometheus. Counters are bound to their labels here.
type metrics struct {
	telemetry.Collectors

	processed, duplicates, unbound, failed prometheus.Counter
	runs, rules                            prometheus.Counter
	committed, rolledBack, unclear         prometheus.Counter
	seconds                                prometheus.Histogram
	lag                                    *prometheus.GaugeVec
}

func newMetrics(p *Processor) *metrics {
	events := telemetry.Counters("millrace_processor_events_total", "Events whose decision is committed, by their status.", "status")
	batches := telemetry.Counters("millrace_processor_batches_total",
		"Batches by what became of them: committed, rolled back (their events come again), or unclear (a new session finds out).", "outcome")
	m := &metrics{
		processed: events.WithLabelValues(string(schemas.Processed)), duplicates: events.WithLabelValues(string(schemas.Duplicate)),
		unbound: events.WithLabelValues(string(schemas.NoTrigger)), failed: events.WithLabelValues(string(schemas.Failed)),
		committed: batches.WithLabelValues("committed"), rolledBack: batches.WithLabelValues("rolled_back"), unclear: batches.WithLabelValues("unclear"),
		runs:    telemetry.Counter("millrace_processor_runs_total", "Runs that were created, as far as they are committed."),
		rules:   telemetry.Counter("millrace_processor_rules_seconds_total", "Seconds that triggers took to decide on events, over all deciders."),
		seconds: telemetry.Seconds("millrace_processor_batch_seconds", "From the first event of a batch in hand to its commit."),
		lag: kafka.NewLagGauge("processor", "Records of a partition of the events that are in Kafka and whose decision is not committed yet. "+
			"Markers of transactions count, too."),
	}
	m.Collectors = telemetry.Collectors{
		events, batches, m.runs, m.rules, m.seconds, m.lag,
		telemetry.Gauge("millrace_processor_dedup_keys", "Entries of the dedup indexes of the partitions that this process has.", p.memory.keys),
		telemetry.Gauge("millrace_processor_dedup_hours", "Hours that the shortest of the dedup indexes reaches back from the latest event.", p.memory.hours),
		telemetry.Gauge("millrace_processor_stopped_partitions", "Partitions that are not read until a person has decided: /readyz says why.",
			func() float64 { return float64(len(p.stopped.list())) }),
		telemetry.Gauge("millrace_processor_slow_triggers", "Triggers that are switched off, because evaluating them takes long, until they are changed.",
			func() float64 { return float64(p.triggers.off.Load()) }),
	}
	return m
}

// committedAll counts a batch that is committed.
func (m *metrics) committedAll(t tally) {
	m.committed.Inc()
	m.processed.Add(float64(t.processed))
	m.duplicates.Add(float64(t.duplicates))
	m.unbound.Add(float64(t.unbound))
	m.failed.Add(float64(t.failed))
	m.runs.Add(float64(t.runs))
	m.rules.Add(t.rules.Seconds())
}

// Metrics returns what to register for Prometheus.
func (p *Processor) Metrics() prometheus.Collector { return p.metrics }
