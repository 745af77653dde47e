package eventlog

import (
	"context"
	"fmt"
	"slices"

	"github.com/millrace/millrace/telemetry"
)

// Readiness says whether rows would be written now: ClickHouse answers and the group is joined. A table that does not keep
// up is a warning, and a partition that is stopped: to take this process away would not help it. It may be called from any goroutine.
func (l *EventLog) Readiness(ctx context.Context) telemetry.Readiness {
	var missing []string
	if !l.hasJoined.Load() {
		missing = append(missing, "the group "+l.kafka.Group(group)+" is being joined")
	}
	if err := l.conn.Ping(ctx); err != nil {
		missing = append(missing, fmt.Sprintf("ClickHouse: %v", err))
	}
	state := telemetry.WaitingFor(missing...)
	state.Warnings = l.stopped()
	for _, name := range l.pausedTables() {
		state.Warnings = append(state.Warnings, "ClickHouse does not keep up with table "+name+"; its topic waits in Kafka")
	}
	return state
}

// pausedTables lists the tables whose topics are not read at the moment.
func (l *EventLog) pausedTables() (names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each(func(lane *lane) {
		if lane.isPaused && !slices.Contains(names, lane.table.name) {
			names = append(names, lane.table.name)
		}
	})
	slices.Sort(names)
	return names
}
