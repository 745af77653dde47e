package dispatcher

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// transientError says that what the dispatcher does cannot be remembered now, but may be a moment later: its own files or
// those of Kafka cannot be written, for instance because the disk is full. It is no reason to end: what was not remembered
// was not committed either.
type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }

// isTransient also knows what a broker answers that could not write: it says nothing about the record.
func isTransient(err error) bool {
	var transient *transientError
	return errors.As(err, &transient) || errors.Is(err, kerr.UnknownServerError) || errors.Is(err, kerr.KafkaStorageError)
}

// waitAfter waits, and reports whether ctx let it.
func (d *Dispatcher) waitAfter(ctx context.Context, wait time.Duration, err error) bool {
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
