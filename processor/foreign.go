package processor

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// foreignError says that the event at an offset is of another version of Millrace.
type foreignError struct {
	offset int64
	err    error
}

func (e *foreignError) Error() string {
	return fmt.Sprintf("the event at offset %d: %v", e.offset, e.err)
}

func (e *foreignError) Unwrap() error { return e.err }

// stopBefore marks a partition as stopped in front of an event of another version.
func (s *stoppedPartitions) stopBefore(partition int32, err *foreignError) {
	s.mu.Lock()
	s.before[partition] = err.offset
	s.mu.Unlock()
	s.stop(partition, err)
}

func (s *stoppedPartitions) isStopped(partition int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, is := s.reasons[partition]
	return is
}

// bound returns at most which offset may be committed of a partition: whoever reads on must find the event that this
// process has stopped in front of, though the client has it, and those behind it, for read.
func (s *stoppedPartitions) bound(partition int32, offset int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, isStopped := s.before[partition]; isStopped {
		return min(before, offset)
	}
	return offset
}

// boundCommit bounds what at least once commits.
func (s *stoppedPartitions) boundCommit(request *kmsg.OffsetCommitRequest) error {
	for i := range request.Topics {
		for j := range request.Topics[i].Partitions {
			of := &request.Topics[i].Partitions[j]
			of.Offset = s.bound(of.Partition, of.Offset)
		}
	}
	return nil
}

// boundTransaction bounds what a transaction commits.
func (s *stoppedPartitions) boundTransaction(request *kmsg.TxnOffsetCommitRequest) error {
	for i := range request.Topics {
		for j := range request.Topics[i].Partitions {
			of := &request.Topics[i].Partitions[j]
			of.Offset = s.bound(of.Partition, of.Offset)
		}
	}
	return nil
}

// errForeignCatalog ends a session: others may understand the catalog, and take its partitions over.
var errForeignCatalog = errors.New("the catalog holds what a newer version of Millrace has written: upgrade this process first")

// followCatalog moves on to what the catalog is now. It fails on what a newer version has put there: to decide without it
// would miss runs.
func (p *Processor) followCatalog() error {
	snapshot := p.catalog.Snapshot()
	if keys := snapshot.Foreign(); len(keys) > 0 {
		return fmt.Errorf("%w (%d records, the first is %s)", errForeignCatalog, len(keys), keys[0])
	}
	p.triggers.follow(snapshot)
	return nil
}

// awaitCatalog waits until all of the catalog can be understood, or ctx ends.
func (p *Processor) awaitCatalog(ctx context.Context) error {
	if err := p.catalog.Ready(ctx); err != nil {
		return fmt.Errorf("waiting for the catalog: %w", err)
	}
	hasSaid := false
	for {
		changed := p.catalog.Changed()
		err := p.followCatalog()
		if err == nil {
			return nil
		}
		if !hasSaid {
			hasSaid = true
			p.logger.Error("no event is decided on, and no partition taken", "error", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
