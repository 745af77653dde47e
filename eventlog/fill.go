package eventlog

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

const (
	// fillRounds bounds how often what has come during a round of filling is added before the swap.
	fillRounds = 5
	// nearEnough is how many offsets may be left for the time after the swap, during which readers miss them.
	nearEnough = 20_000
	// fillPatience bounds how long ClickHouse may refuse one block after the other before a rebuild gives up.
	fillPatience = 2 * time.Minute
)

// fillFresh fills the new table, and then with what has come meanwhile, until little is left for the time after the swap.
func (r *rebuild) fillFresh(ctx context.Context) error {
	next := slices.Clone(r.mark.Stretches)
	for range fillRounds {
		records, err := r.fill(ctx, r.fresh(), next, false)
		if err != nil {
			return err
		}
		r.Records += records
		since, offsets, err := r.since(ctx)
		if err != nil {
			return err
		}
		if offsets <= nearEnough {
			return nil
		}
		next = since
		r.reach(since)
	}
	return nil
}

// fill brings the records of stretches into a table, as many partitions at once as the event log has inserts into it. It
// returns how many there were. mayBeThere has every block ask first which of its offsets the table has.
func (r *rebuild) fill(ctx context.Context, into string, stretches []stretch, mayBeThere bool) (int64, error) {
	var records atomic.Int64
	group, together := errgroup.WithContext(ctx)
	group.SetLimit(r.config.Flush.Inserts)
	for _, of := range stretches {
		table := r.tableOf(of.Topic)
		table.name = into
		group.Go(func() error {
			f := filler{rebuild: r, lane: newLane(of.Topic, table), records: &records}
			f.lane.partitions[of.Partition] = &partition{next: of.From, doubt: doubt{horizon: -1}}
			if mayBeThere {
				f.lane.partitions[of.Partition].doubt.horizon = of.To - 1
			}
			if err := f.run(together, of); err != nil {
				return fmt.Errorf("filling %s from %s, partition %d: %w", into, of.Topic, of.Partition, err)
			}
			return nil
		})
	}
	err := group.Wait()
	return records.Load(), err
}

func (r *rebuild) tableOf(topic string) table {
	for _, table := range tables() {
		if r.kafka.Topic(table.topic) == topic {
			return table
		}
	}
	return table{}
}

// filler is the work on one partition, with the lane of the event log: while one block is inserted, the next is read.
type filler struct {
	*rebuild
	lane    *lane
	records *atomic.Int64
}

func (f *filler) run(ctx context.Context, of stretch) error {
	defer f.lane.await()
	at := of.From
	reader := scanner{
		kafka: f.kafka, admin: f.admin,
		take: func(records []*kgo.Record, next int64) error {
			f.records.Add(int64(len(records)))
			for _, record := range records {
				f.lane.add(record, time.Now())
				if err := f.lane.partitions[of.Partition].foreign; err != nil {
					return err
				}
				if !f.lane.isFull(f.config.Flush) {
					continue
				}
				if err := f.send(ctx); err != nil {
					return err
				}
			}
			f.progress.Read(next - at)
			at = next
			return nil
		},
		gone: func(lost stretch) error {
			at = lost.To
			return f.copyRange(ctx, f.lane.table.name, lost)
		},
	}
	if err := reader.scan(ctx, of); err != nil {
		return err
	}
	if err := f.settle(ctx); err != nil || len(f.lane.rows) == 0 {
		return err
	}
	if err := f.send(ctx); err != nil {
		return err
	}
	return f.settle(ctx)
}

// send lets the block that is full depart, once the one before it has arrived.
func (f *filler) send(ctx context.Context) error {
	if err := f.settle(ctx); err != nil {
		return err
	}
	f.depart(ctx)
	return nil
}

func (f *filler) depart(ctx context.Context) {
	flight := f.lane.depart()
	go func() {
		bounded, cancel := context.WithTimeout(ctx, flushTimeout)
		defer cancel()
		flight.write(bounded, f.conn, f.log)
	}()
}

// settle waits until the block under way has arrived, and sends it again where it did not.
func (f *filler) settle(ctx context.Context) error {
	for f.lane.flight != nil {
		f.lane.await()
		flight := f.lane.flight
		f.lane.arrive(f.log)
		if f.lane.flight == nil {
			return nil
		}
		if ctx.Err() != nil || time.Since(f.lane.failing) > fillPatience {
			return flight.err
		}
		retry := time.NewTimer(time.Until(f.lane.retryAt))
		select {
		case <-retry.C:
		case <-ctx.Done():
			retry.Stop()
			return ctx.Err()
		}
		f.depart(ctx)
	}
	return nil
}
