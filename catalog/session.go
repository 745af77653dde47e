package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/telemetry"
)

// writeTimeout bounds how long a record of a change takes. Twice that bounds the change, and how long a broker holds up
// readers for a writer that died in between, unless another takes its place.
const writeTimeout = 10 * time.Second

// metadataMinAge is how soon the client may ask again who leads a partition, after a refusal.
const metadataMinAge = 100 * time.Millisecond

// session is a connection that writes changes, each as a whole.
type session struct {
	client          *kgo.Client
	isTransactional bool
}

// topics are the names on the broker of what a change is written to.
type topics struct{ catalog, audit string }

// newSession connects. A transactional one takes the transactional ID, which every writer of this catalog has: one that
// is shut out by it cannot write any more, and what it has begun is rolled back.
func newSession(ctx context.Context, config kafka.Config, isSingle bool, logger *slog.Logger) (*session, error) {
	options := append(config.Options(),
		telemetry.KafkaLogger(logger),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(writeTimeout),
		// A broker may ask to come again in a moment. The client asks for metadata first, which it does every 5 s at most.
		kgo.MetadataMinAge(metadataMinAge),
		// Written by write's flush alone: what is small enough goes in one batch.
		kgo.ManualFlushing(), kgo.MaxBufferedRecords(4*maxTriggers),
		kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()),
	)
	if isSingle {
		// One batch, whatever its size: the embedded broker keeps a batch whole or not at all.
		options = append(options, kgo.ProducerBatchMaxBytes(maxBatchBytes), kgo.BrokerMaxWriteBytes(2*maxBatchBytes))
	} else {
		options = append(options, kgo.TransactionalID(config.Group("catalog")), kgo.TransactionTimeout(2*writeTimeout))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the catalog: %w", err)
	}
	s := &session{client, !isSingle}
	if isSingle {
		return s, nil
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("shutting other writers of the catalog out: %w", err)
	}
	return s, nil
}

// maxBatchBytes bounds a batch before compression.
const maxBatchBytes = 256 << 20

// write writes records as a whole. After an error the outcome is unknown, and the session is of no more use.
func (s *session) write(ctx context.Context, records []*kgo.Record) error {
	ctx, cancel := context.WithTimeout(ctx, 2*writeTimeout)
	defer cancel()
	if !s.isTransactional {
		return s.produce(ctx, records)
	}
	if err := s.client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := s.produce(ctx, records); err != nil {
		// Should this fail, too, the next session rolls back what is left.
		return errors.Join(err, s.client.EndTransaction(ctx, kgo.TryAbort))
	}
	if err := s.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("ending the transaction: %w", err)
	}
	return nil
}

func (s *session) produce(ctx context.Context, records []*kgo.Record) error {
	var mu sync.Mutex
	var first error
	for _, record := range records {
		s.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = err
			}
		})
	}
	if err := s.client.Flush(ctx); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	return first
}

func (s *session) close() { s.client.Close() }

// isHopeless reports whether another attempt would fail just so.
func isHopeless(err error) bool {
	for _, reason := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.UnsupportedVersion, kerr.InvalidTransactionTimeout, kerr.InvalidTimestamp,
		kerr.InvalidRecord, kerr.PolicyViolation, kgo.ErrClientClosed,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// records returns what a change writes: the catalog's records first, in the order of tx.changed, then those of the audit.
func (tx *Tx) records(to topics) ([]*kgo.Record, error) {
	records := make([]*kgo.Record, 0, 2*len(tx.changed))
	for _, key := range tx.changed {
		records = append(records, catalogRecord(to.catalog, key, tx.id, tx.values[key]))
	}
	audited, err := tx.audit()
	if err != nil {
		return nil, err
	}
	for _, key := range tx.changed {
		entry, isAudited := audited[key]
		if !isAudited {
			continue
		}
		record, err := auditRecord(to.audit, key, entry)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}
