package processor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// atLeastOnce commits offsets after all outputs are acknowledged.
type atLeastOnce struct {
	client  *kgo.Client
	stopped *stoppedPartitions
	failed  firstError
	noted   func(*kgo.Record, error) // failed.note, made once
}

func newAtLeastOnce(stopped *stoppedPartitions, options []kgo.Opt) (session, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	a := &atLeastOnce{client: client, stopped: stopped}
	a.noted = a.failed.note
	return a, nil
}

func (a *atLeastOnce) poll(ctx context.Context, maxRecords int) kgo.Fetches {
	a.client.AllowRebalance()
	return a.client.PollRecords(ctx, maxRecords)
}

func (a *atLeastOnce) pollArrived(ctx context.Context, until time.Time, maxRecords int) kgo.Fetches {
	return pollArrived(ctx, a.client, until, maxRecords)
}

func (a *atLeastOnce) pause(partitions map[string][]int32) {
	a.client.PauseFetchPartitions(partitions)
}

func (a *atLeastOnce) release() { a.client.AllowRebalance() }

func (a *atLeastOnce) begin(context.Context) error {
	a.failed.reset()
	return nil
}

func (a *atLeastOnce) produce(ctx context.Context, record *kgo.Record) {
	a.client.Produce(ctx, record, a.noted)
}

// end never rolls back: what failed may have been written, so the session must end and read again what is committed.
func (a *atLeastOnce) end(ctx context.Context) (bool, error) {
	if err := a.client.Flush(ctx); err != nil {
		return false, fmt.Errorf("waiting for outputs: %w", err)
	}
	if err := a.failed.get(); err != nil {
		return false, fmt.Errorf("writing outputs: %w", err)
	}
	if err := a.client.CommitUncommittedOffsets(kgo.PreCommitFnContext(ctx, a.stopped.boundCommit)); err != nil {
		return false, fmt.Errorf("committing offsets: %w", err)
	}
	return true, nil
}

func (a *atLeastOnce) failure() error { return a.failed.get() }

func (a *atLeastOnce) kafka() *kgo.Client { return a.client }

func (a *atLeastOnce) close() { a.client.CloseAllowingRebalance() }

// pollArrived polls without waiting for longer than until. Polls may follow one another while partitions are held: the first
// of them keeps them, and those after it take only what belongs to them.
func pollArrived(ctx context.Context, client *kgo.Client, until time.Time, maxRecords int) kgo.Fetches {
	if !time.Now().Before(until) {
		return client.PollRecords(nil, maxRecords) //nolint:staticcheck // nil is documented to mean: do not wait
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	fetches := client.PollRecords(ctx, maxRecords)
	if errors.Is(fetches.Err0(), context.DeadlineExceeded) {
		return nil
	}
	return fetches
}

// firstError keeps the first error of records that are acknowledged elsewhere.
type firstError struct {
	mu  sync.Mutex
	err error // guarded by mu
}

func (f *firstError) note(_ *kgo.Record, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *firstError) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = nil
}
