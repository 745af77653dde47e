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

func isTransient(err error) bool {
	var transient *transientError
	return errors.As(err, &transient)
}

// unwritten judges why Kafka has not taken a record. A broker that refuses it, as not permitted or too large, will do so again.
// That it could not write, that it went away, or that nobody answered says nothing about the record.
func unwritten(err error) error {
	var refusal *kerr.Error
	isRefused := errors.As(err, &refusal) && !refusal.Retriable
	if isRefused && !errors.Is(err, kerr.UnknownServerError) && !errors.Is(err, kerr.KafkaStorageError) {
		return err
	}
	return &transientError{err}
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
