package eventlog

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// stopForeign pauses the partitions that have just come to a record of another version of Millrace. What lies before it is
// written and committed; a process of that version goes on behind it.
func (l *EventLog) stopForeign(client *kgo.Client, lane *lane) {
	for number, partition := range lane.partitions {
		if partition.foreign == nil || partition.isStopped {
			continue
		}
		partition.isStopped = true
		client.PauseFetchPartitions(map[string][]int32{lane.topic: {number}})
		l.metrics.stopped.WithLabelValues(lane.topic, strconv.Itoa(int(number))).Set(1)
		l.log.Error("event log stopped reading a partition; the others go on, and nothing is lost: a process of the version that wrote the record goes on with it",
			"topic", lane.topic, "partition", number, "error", partition.foreign)
	}
}

// stopped lists the partitions that are, and why.
func (l *EventLog) stopped() (warnings []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each(func(lane *lane) {
		for number, partition := range lane.partitions {
			if partition.foreign != nil {
				warnings = append(warnings, fmt.Sprintf("%s partition %d: stopped: %v", lane.topic, number, partition.foreign))
			}
		}
	})
	slices.Sort(warnings)
	return warnings
}
