package dispatcher

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// stop stops a partition in front of a run of another version of Millrace: what lies before goes on and is committed, and
// a process of that version goes on behind it. The group's mutex must be held.
func (g *group) stop(p *partition, record *kgo.Record, err error) {
	p.foreign = fmt.Sprintf("stopped: the run at offset %d: %v", record.Offset, err)
	g.logger.Error("a partition cannot be read on and is stopped; the others go on, and nothing is lost: a process of the version that wrote the run goes on with it",
		"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err)
}

// stopped lists the partitions that are, and why.
func (g *group) stopped() (warnings []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, p := range g.partitions {
		if p.foreign != "" {
			warnings = append(warnings, fmt.Sprintf("%s partition %d: %s", name.topic, name.id, p.foreign))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// stoppedCount is how many partitions this process has stopped.
func (d *Dispatcher) stoppedCount() (sum float64) {
	d.mu.Lock()
	groups := slices.Clone(d.groups)
	d.mu.Unlock()
	for _, group := range groups {
		sum += float64(len(group.stopped()))
	}
	return sum
}
