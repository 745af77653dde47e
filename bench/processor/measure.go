package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// result is what one run took, between its first commit and its last.
type result struct {
	perSecond float64 // events
	cpu       float64 // microseconds per event, of the program alone
	peakMiB   float64
}

// measure lets a contender work off all events once and checks what it wrote.
func (c contender) measure(ctx context.Context, dir string, round int) (result, error) {
	job, err := c.begin(ctx, filepath.Join(dir, fmt.Sprintf("%s-%d", c.name, round)), round)
	if err != nil {
		return result{}, err
	}
	before, err := c.world.ends(ctx, job.output)
	if err != nil {
		return result{}, err
	}
	measured, err := c.watch(ctx, job)
	if err != nil {
		return result{}, err
	}
	if err := c.check(ctx, job, before); err != nil {
		return result{}, fmt.Errorf("the output is wrong: %w", err)
	}
	return measured, job.clean(ctx)
}

// watch runs the program. What is measured lies between two commits, the first that is seen and the last, so that
// neither the start of the program nor that of its group is in it.
func (c contender) watch(ctx context.Context, job job) (result, error) {
	process, err := startProcess(ctx, job.command)
	if err != nil {
		return result{}, err
	}
	defer process.stop()
	first, err := c.awaitCommitted(ctx, process, job, 1)
	if err != nil {
		return result{}, fmt.Errorf("waiting for the first commit: %w", err)
	}
	last, err := c.awaitCommitted(ctx, process, job, int64(c.known.events))
	if err != nil {
		return result{}, fmt.Errorf("waiting for the last commit: %w", err)
	}
	events := float64(last.events - first.events)
	if events == 0 {
		return result{}, errors.New("all was committed at once; measure more -events")
	}
	peak, err := process.peakKiB()
	return result{
		perSecond: events / last.at.Sub(first.at).Seconds(),
		cpu:       float64((last.cpu - first.cpu).Microseconds()) / events,
		peakMiB:   float64(peak) / 1024,
	}, err
}

// moment is how far a program was at a time, and what it had taken by then.
type moment struct {
	at     time.Time
	events int64
	cpu    time.Duration
}

// awaitCommitted waits until so many events are committed.
func (c contender) awaitCommitted(ctx context.Context, process *process, job job, events int64) (moment, error) {
	var m moment
	err := process.await(ctx, func() (bool, error) {
		committed, err := c.world.committed(ctx, job.group)
		m.at, m.events = time.Now(), committed
		return committed >= events, err
	})
	if err != nil {
		return m, err
	}
	m.cpu, err = process.cpu()
	return m, err
}

// await asks until the answer is yes, the program ends, or there is no more time.
func (p *process) await(ctx context.Context, isDone func() (bool, error)) error {
	err := poll(ctx, p.ended, isDone)
	if errors.Is(err, errOver) {
		return errors.Join(errors.New("the program ended"), p.err, ctx.Err())
	}
	return err
}

// check reads what a run has committed: every message passed exactly once, and no more.
func (c contender) check(ctx context.Context, job job, before map[int32]int64) error {
	ends, err := c.world.ends(ctx, job.output)
	if err != nil {
		return err
	}
	passed := make([]bool, c.known.messages)
	count, repeats := 0, 0
	err = readCommitted(ctx, c.world, job.output, before, ends, func(record *kgo.Record) error {
		number, repeat, err := job.message(record)
		if err != nil {
			return err
		}
		if repeat {
			repeats++
			return nil
		}
		if passed[number] {
			return fmt.Errorf("message %d passed twice", number)
		}
		passed[number] = true
		count++
		return nil
	})
	if err != nil {
		return err
	}
	if count != c.known.messages {
		return fmt.Errorf("%d of %d messages passed", count, c.known.messages)
	}
	if repeats > 0 && count+repeats != c.known.events {
		return fmt.Errorf("%d passed and %d repeated, of %d events", count, repeats, c.known.events)
	}
	return nil
}

// readCommitted calls each with the committed records between two sets of offsets.
func readCommitted(ctx context.Context, w *world, topic string, from, to map[int32]int64, each func(*kgo.Record) error) error {
	starts := map[int32]kgo.Offset{}
	left := map[int32]bool{}
	for partition, end := range to {
		if from[partition] < end {
			starts[partition] = kgo.NewOffset().At(from[partition])
			left[partition] = true
		}
	}
	client, err := kgo.NewClient(append(w.cluster.Options(), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last record of a partition is one
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}))...)
	if err != nil {
		return err
	}
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for records := fetches.RecordIter(); !records.Done(); {
			record := records.Next()
			if record.Offset >= to[record.Partition]-1 {
				delete(left, record.Partition)
			}
			if record.Attrs.IsControl() {
				continue
			}
			if err := each(record); err != nil {
				return err
			}
		}
	}
	return nil
}
