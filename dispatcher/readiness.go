package dispatcher

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/telemetry"
)

// Readiness says whether runs would be started now: the index of delivered runs is open, both groups are joined, and it is
// known of each partition what was delivered before. A workflow that is left alone is a warning: it is not the dispatcher
// that has to get well. So is a partition that is stopped: the others go on. It may be called from any goroutine.
func (d *Dispatcher) Readiness() telemetry.Readiness {
	d.mu.Lock()
	groups := slices.Clone(d.groups)
	d.mu.Unlock()
	if len(groups) < len(d.traffic()) {
		return telemetry.WaitingFor("the index of delivered runs is being opened")
	}
	var missing []string
	for _, group := range groups {
		missing = append(missing, group.missing()...)
	}
	state := telemetry.WaitingFor(missing...)
	for _, group := range groups {
		state.Warnings = append(state.Warnings, group.stopped()...)
	}
	if down := d.gates.states()[circuitbreaker.OpenState]; down > 0 {
		state.Warnings = append(state.Warnings, fmt.Sprintf("%d workflows are left alone because most calls fail; their runs wait", down))
	}
	return state
}

// missing lists what the group waits for before it starts runs.
func (g *group) missing() (missing []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.hasJoined {
		return []string{"the group " + g.name + " is being joined"}
	}
	for name, p := range g.partitions {
		if !p.ready() {
			missing = append(missing, fmt.Sprintf("%s partition %d: what was delivered before is being read", name.topic, name.id))
		}
	}
	slices.Sort(missing)
	return missing
}

func (g *group) owned() map[string][]int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	owned := map[string][]int32{}
	for name := range g.partitions {
		owned[name.topic] = append(owned[name.topic], name.id)
	}
	return owned
}

func (d *Dispatcher) enlist(group *group) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups = append(d.groups, group)
}

func (d *Dispatcher) dismiss(leaving *group) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups = slices.DeleteFunc(d.groups, func(g *group) bool { return g == leaving })
}

func (d *Dispatcher) outstanding() (sum float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, group := range d.groups {
		sum += float64(group.crowd.size())
	}
	return sum
}

// measureLag keeps the lag of a group's partitions until stop is called.
func (d *Dispatcher) measureLag(ctx context.Context, client *kgo.Client, group *group) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var measuring sync.WaitGroup
	measuring.Go(func() {
		kafka.Lag{Group: group.name, Owned: group.owned, Gauge: d.metrics.lag, Logger: d.logger}.Measure(ctx, client)
	})
	return func() {
		cancel()
		measuring.Wait()
	}
}
