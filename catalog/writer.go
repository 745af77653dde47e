package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Writer changes the catalog, one change at a time. Each change is checked against everything written before it, and
// its method returns when the Reader has it.
//
// Any number of Writers may write to one catalog on a real Kafka. A change is one transaction under one transactional ID
// that all of them share: whoever takes it shuts the others out, and they begin their change anew on what is there then.
type Writer struct {
	reader  *Reader
	options WriterOptions
	topics  topics
	logger  *slog.Logger

	mu      sync.Mutex // held over read, check and write, so that no change of this process is lost
	session *session   // nil before the first change and after one that failed
	connect func(context.Context) (*session, error)
}

// WriterOptions say how a Writer writes.
type WriterOptions struct {
	// Keys seals endpoint keys; nil stores them as they are.
	Keys *Keys
	// SingleProcess says that nobody else writes to this catalog. A lock then takes the place of the transaction: on the
	// embedded broker, whose transactions do not survive a kill.
	SingleProcess bool
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// NewWriter returns a writer on top of a reader that is running. It connects with the first change. Close it after use.
func NewWriter(config kafka.Config, reader *Reader, logger *slog.Logger, options WriterOptions) (*Writer, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	w := &Writer{
		reader: reader, options: options, logger: logger,
		topics: topics{config.Topic(schemas.CatalogTopic), config.Topic(schemas.AuditTopic)},
	}
	w.connect = func(ctx context.Context) (*session, error) {
		return newSession(ctx, config, options.SingleProcess, logger)
	}
	return w, nil
}

// Close ends the connection.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disconnect()
}

// A change that does not get through is tried again this often and for this long.
const (
	maxAttempts   = 30
	maxChangeTime = 20 * time.Second
)

// Change lets put change a Tx and writes what came of it: all of it or, with an error of put, nothing. put may be called
// again, where another writer was faster, and must then decide anew. Who is behind the change stands in the audit log,
// see WithActor.
func (w *Writer) Change(ctx context.Context, put func(*Tx) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var written *Tx // whose outcome is unknown
	pause := &backoff.ExponentialBackOff{InitialInterval: 10 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Second}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		tx, err := w.begin(ctx, written)
		if tx == nil || err != nil {
			return struct{}{}, w.failed(ctx, err)
		}
		if err := put(tx); err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		written = tx
		return struct{}{}, w.failed(ctx, w.write(ctx, tx))
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(maxAttempts), backoff.WithMaxElapsedTime(maxChangeTime))
	return err
}

// begin returns a Tx on everything that is in the catalog, or nil where an attempt whose outcome was unknown turns out to
// have been written. From here on, no other writer gets through before this one without shutting it out.
func (w *Writer) begin(ctx context.Context, written *Tx) (*Tx, error) {
	if w.session == nil {
		opened, err := w.connect(ctx)
		if err != nil {
			return nil, err
		}
		w.session = opened
	}
	if err := w.reader.Ready(ctx); err != nil {
		return nil, err
	}
	if written != nil && w.reader.has(written.id) {
		return nil, nil
	}
	return newTx(w.reader.Snapshot(), w.options.Keys, Actor(ctx), w.time()), nil
}

// write writes the change and waits until the reader has it.
func (w *Writer) write(ctx context.Context, tx *Tx) error {
	records, err := tx.records(w.topics)
	if err != nil {
		return backoff.Permanent(err)
	}
	if len(records) == 0 {
		return nil
	}
	// Whoever asked may go away. What was begun is finished, within the limits of the session.
	if err := w.session.write(context.WithoutCancel(ctx), records); err != nil {
		if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) {
			return fmt.Errorf("a change of %d things is more than the broker takes at once (message.max.bytes); make it in parts: %w", len(tx.changed), err)
		}
		return fmt.Errorf("writing %s and %d more to the catalog: %w", tx.changed[0], len(tx.changed)-1, err)
	}
	if err := w.reader.wait(ctx, records[len(tx.changed)-1].Offset+1); err != nil {
		return backoff.Permanent(err)
	}
	return nil
}

// failed decides whether an attempt is worth another. The session of one that failed is of no more use.
func (w *Writer) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	w.disconnect()
	if ctx.Err() != nil || isHopeless(err) {
		return backoff.Permanent(err)
	}
	w.logger.Debug("a change of the catalog did not get through and is tried again", "error", err)
	return err
}

func (w *Writer) disconnect() {
	if w.session != nil {
		w.session.close()
		w.session = nil
	}
}

// SealKeys seals the endpoint keys that were stored before there was a catalog key. Without one it does nothing.
func (w *Writer) SealKeys(ctx context.Context) error {
	if w.options.Keys == nil {
		return nil
	}
	return w.Change(ctx, func(tx *Tx) error {
		for _, source := range tx.Snapshot().Sources() {
			if !hasOpenKey(source) {
				continue
			}
			if _, err := tx.PutSource(source); err != nil {
				return err
			}
		}
		return nil
	})
}

func hasOpenKey(source schemas.Source) bool {
	for _, endpoint := range source.Endpoints {
		if !strings.HasPrefix(endpoint.Key, sealedPrefix) {
			return true
		}
	}
	return false
}

// time is now in UTC and whole milliseconds, which is what a reader of the JSON gets back.
func (w *Writer) time() time.Time { return w.options.Now().UTC().Truncate(time.Millisecond) }

// newID returns an ID that sorts after those made before it, so that what was made in the same millisecond keeps its
// order.
func newID(prefix string) string {
	return prefix + strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "")
}
