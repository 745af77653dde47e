package api

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/telemetry"
)

// Readiness says whether calls would be answered now: the catalog has been read, and the event log answers. Any goroutine
// may call it.
func (a *API) Readiness(ctx context.Context) telemetry.Readiness {
	var missing []string
	if !a.reader.IsRead() {
		missing = append(missing, "the catalog is being read")
	}
	if err := a.log.Ping(ctx); err != nil {
		missing = append(missing, fmt.Sprintf("ClickHouse: %v", err))
	}
	state := telemetry.WaitingFor(missing...)
	state.Warnings = a.reader.Snapshot().WaitingFor() // the rest can be seen and changed
	return state
}
