package replay

import (
	"context"
	"errors"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// DryRun finds out what a replay would do, as catalog.Snapshot.CheckReplay has made it, and writes nothing anywhere. It
// calls tell, from one goroutine, with how far it is. It takes about as long as the replay; ctx ends it.
func DryRun(ctx context.Context, cluster kafka.Config, log *query.Log, replay schemas.Replay, tell func(schemas.ReplayProgress)) (schemas.ReplayPreview, error) {
	return schemas.ReplayPreview{}, errors.ErrUnsupported
}
