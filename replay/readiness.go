package replay

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/telemetry"
)

// Readiness says whether a replay would be worked on now: the catalog has been read, and the event log answers. Any
// goroutine may call it.
func (r *Replay) Readiness(ctx context.Context) telemetry.Readiness {
	var missing []string
	if !r.catalog.IsRead() {
		missing = append(missing, "the catalog is being read")
	}
	missing = append(missing, r.catalog.Snapshot().WaitingFor()...)
	if err := r.log.Ping(ctx); err != nil {
		missing = append(missing, fmt.Sprintf("ClickHouse: %v", err))
	}
	return telemetry.WaitingFor(missing...)
}
