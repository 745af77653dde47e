package processor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// transactional commits outputs and offsets in one Kafka transaction.
type transactional struct {
	id      string // of all its transactions
	session *kgo.GroupTransactSession
	stopped *stoppedPartitions
	failed  firstError
	noted   func(*kgo.Record, error) // failed.note, made once
}

func newTransactional(ctx context.Context, id string, stopped *stoppedPartitions, options []kgo.Opt) (session, error) {
	s, err := kgo.NewGroupTransactSession(append(options, kgo.TransactionalID(id))...)
	if err != nil {
		return nil, err
	}
	// A predecessor that was killed may have left a transaction open. Its offsets can be read only once it has ended:
	// now, by asking for our producer ID, or else when the broker's patience ends, after a minute of standing still.
	if _, _, err := s.Client().ProducerID(ctx); err != nil {
		s.CloseAllowingRebalance()
		return nil, fmt.Errorf("ending the transaction that a predecessor may have left: %w", err)
	}
	t := &transactional{id: id, session: s, stopped: stopped}
	t.noted = t.failed.note
	return t, nil
}

func (t *transactional) poll(ctx context.Context, maxRecords int) kgo.Fetches {
	t.session.AllowRebalance()
	return t.session.PollRecords(ctx, maxRecords)
}

func (t *transactional) pollArrived(ctx context.Context, until time.Time, maxRecords int) kgo.Fetches {
	return pollArrived(ctx, t.session.Client(), until, maxRecords)
}

func (t *transactional) pause(partitions map[string][]int32) {
	t.session.Client().PauseFetchPartitions(partitions)
}

func (t *transactional) release() { t.session.AllowRebalance() }

func (t *transactional) begin(ctx context.Context) error {
	t.failed.reset()
	t.awaitMarkers(ctx)
	return t.session.Begin()
}

// markersWithin is how long the end of a transaction is waited for, at most, and markersAgain how often it is asked for.
const (
	markersWithin = 20 * time.Millisecond
	markersAgain  = 500 * time.Microsecond
)

// awaitMarkers waits until the broker has marked the last transaction's records as committed, which it does after it has
// answered. A record that is produced before makes it wait 20 ms (add.partitions.to.txn.retry.backoff.ms). Whether the
// answer is known or not, it goes on after that time: it is about latency alone.
func (t *transactional) awaitMarkers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, markersWithin)
	defer cancel()
	for t.isEnding(ctx) && waited(ctx, markersAgain) {
	}
}

func (t *transactional) isEnding(ctx context.Context) bool {
	described, err := kadm.NewClient(t.session.Client()).DescribeTransactions(ctx, t.id)
	if err != nil {
		return false
	}
	state := described[t.id].State
	return state == "PrepareCommit" || state == "PrepareAbort"
}

// produce keeps the error of a record that fails: End would commit the others without it.
func (t *transactional) produce(ctx context.Context, record *kgo.Record) {
	t.session.Produce(ctx, record, t.noted)
}

func (t *transactional) end(ctx context.Context) (bool, error) {
	if err := t.session.Client().Flush(ctx); err != nil {
		return false, fmt.Errorf("waiting for outputs: %w", err)
	}
	committed, err := t.session.End(kgo.PreTxnCommitFnContext(ctx, t.stopped.boundTransaction), kgo.TransactionEndTry(t.failed.get() == nil))
	if err == nil && !committed && t.lacksPosition() {
		return false, errNoPosition
	}
	return committed, err
}

// errNoPosition ends a session whose first transaction was rolled back.
var errNoPosition = errors.New("rolled back before the first commit of a partition: a new session finds where it begins")

// lacksPosition reports whether some partition has no committed offset. The client then goes back to offset 0, which
// Kafka may have deleted, where a new session goes to the first event there is.
func (t *transactional) lacksPosition() bool {
	for _, partitions := range t.session.Client().CommittedOffsets() {
		for _, at := range partitions {
			if at.Offset <= 0 {
				return true
			}
		}
	}
	return false
}

func (t *transactional) failure() error { return t.failed.get() }

func (t *transactional) kafka() *kgo.Client { return t.session.Client() }

func (t *transactional) close() { t.session.CloseAllowingRebalance() }
