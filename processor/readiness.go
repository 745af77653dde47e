package processor

import "github.com/millrace/millrace/telemetry"

// Readiness says how far each partition that this process owns is. The processor is ready when it has joined the group
// understands the catalog, and none of its partitions still waits for its dedup index; partitions that are stopped wait for a person, and a new
// start would not help them. It may be called from any goroutine.
func (p *Processor) Readiness() telemetry.Readiness {
	state := p.memory.readiness()
	state.Warnings = p.windows.warnings()
	state.Waiting = p.catalog.Snapshot().WaitingFor()
	state.Ready = state.Ready && len(state.Waiting) == 0
	for partition, reason := range p.stopped.list() {
		state.Partitions[partition] = "stopped: " + reason
	}
	return state
}

func (m *memory) readiness() telemetry.Readiness {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := telemetry.Readiness{Ready: m.hasJoined, Partitions: map[int32]string{}}
	for partition, r := range m.partitions {
		state.Partitions[partition] = "ready"
		if r.index == nil {
			state.Ready = false
			state.Partitions[partition] = "dedup index: " + r.progress.String()
		}
	}
	return state
}
