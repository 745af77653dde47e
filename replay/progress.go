package replay

import (
	"context"
	"errors"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Progress tells how far a replay is, from what its consumer group has committed. One that has ended tells its result.
func Progress(ctx context.Context, cluster kafka.Config, replay schemas.Replay) (schemas.ReplayProgress, error) {
	return schemas.ReplayProgress{}, errors.ErrUnsupported
}
