package dispatcher

import (
	"context"
	"errors"
	"time"
)

// filesError says that the dispatcher's own files cannot be used, for instance because the disk is full. What is in them
// can be read from Kafka again, so it is no reason to end.
type filesError struct{ error }

func (e *filesError) Unwrap() error { return e.error }

func isOfFiles(err error) bool {
	var files *filesError
	return errors.As(err, &files)
}

// waitForFiles waits, and reports whether ctx let it.
func (d *Dispatcher) waitForFiles(ctx context.Context, wait time.Duration, err error) bool {
	d.logger.Error("no run is dispatched for now, because it could not be remembered", "again_in", wait.Round(time.Millisecond), "error", err)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
