package kafka

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lagInterval is how often Kafka is asked how far a group is behind.
const lagInterval = 5 * time.Second

// Lag measures how far a consumer group is behind on the partitions that a process owns.
type Lag struct {
	Group string // on the broker
	// Owned returns the partitions, by topic on the broker.
	Owned func() map[string][]int32
	// Gauge is set, by topic and partition. What other processes own is theirs to tell.
	Gauge  *prometheus.GaugeVec
	Logger *slog.Logger
}

// NewLagGauge returns the gauge for a role's Lag.
func NewLagGauge(role, help string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "millrace_" + role + "_lag_records", Help: help}, []string{"topic", "partition"})
}

// Measure asks through client until ctx ends. Where Kafka does not answer, the last answer stands.
func (l Lag) Measure(ctx context.Context, client *kgo.Client) {
	admin := kadm.NewClient(client)
	ticks := time.NewTicker(lagInterval)
	defer ticks.Stop()
	told := map[string][]int32{}
	defer func() { l.forget(told, nil) }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		asking, cancel := context.WithTimeout(ctx, lagInterval)
		owned := l.Owned()
		if err := l.ask(asking, admin, owned); err == nil {
			l.forget(told, owned)
			told = owned
		} else if ctx.Err() == nil {
			l.Logger.Debug("cannot measure how far a group is behind", "group", l.Group, "error", err)
		}
		cancel()
	}
}

func (l Lag) ask(ctx context.Context, admin *kadm.Client, owned map[string][]int32) error {
	if len(owned) == 0 {
		return nil
	}
	topics := make([]string, 0, len(owned))
	for topic := range owned {
		topics = append(topics, topic)
	}
	committed, err := admin.FetchOffsetsForTopics(ctx, l.Group, topics...)
	if err != nil {
		return err
	}
	ends, err := admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	for topic, numbers := range owned {
		for _, number := range numbers {
			end, _ := ends.Lookup(topic, number)
			reached, _ := starts.Lookup(topic, number)
			at := reached.Offset
			if commit, is := committed.Lookup(topic, number); is {
				at = max(at, commit.At)
			}
			l.Gauge.WithLabelValues(topic, strconv.Itoa(int(number))).Set(float64(max(0, end.Offset-at)))
		}
	}
	return nil
}

// forget drops what was told of partitions that are not owned any more: another process tells it now.
func (l Lag) forget(told, owned map[string][]int32) {
	kept := map[string]map[int32]bool{}
	for topic, numbers := range owned {
		kept[topic] = map[int32]bool{}
		for _, number := range numbers {
			kept[topic][number] = true
		}
	}
	for topic, numbers := range told {
		for _, number := range numbers {
			if !kept[topic][number] {
				l.Gauge.DeleteLabelValues(topic, strconv.Itoa(int(number)))
			}
		}
	}
}
