package replay

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// How many offsets the event log is asked for at once. A window follows what the last one brought: of a source that
// sends little, many offsets hold few events.
const (
	firstWindow = 2_000
	maxWindow   = 1 << 20
	storedBytes = 24 << 20 // bodies of a window
	fewStored   = 20_000   // events; with fewer, the next window is larger
	askedAtOnce = 4        // partitions; the others come next
)

// readStored reads, from the event log, the partitions that the topic does not have at their place.
func (r *reader) readStored(ctx context.Context) error {
	var waiting []*partition
	for _, p := range r.partitions {
		if !p.isTailed && !p.isRead() && len(p.pending) == 0 {
			waiting = append(waiting, p)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	lows, err := listed(r.admin.ListStartOffsets(ctx, r.topic))
	if err != nil {
		return fmt.Errorf("asking where %s begins: %w", r.topic, err)
	}
	highs, err := listed(r.admin.ListEndOffsets(ctx, r.topic))
	if err != nil {
		return fmt.Errorf("asking where %s ends: %w", r.topic, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	asked := 0
	for _, p := range waiting {
		low, high := lows[r.topic][p.number].Offset, highs[r.topic][p.number].Offset
		if p.end > high && p.next >= low {
			return &hopelessError{fmt.Errorf("partition %d of %s ends at offset %d and reached %d when the replay began: the topic is another one since; create the replay anew",
				p.number, r.topic, high, p.end)}
		}
		if p.next >= low {
			r.tail(p)
			continue
		}
		if asked++; asked > askedAtOnce {
			continue
		}
		group.Go(func() error { return r.ask(ctx, p, min(p.next+p.window, p.end, low)) })
	}
	return group.Wait()
}

// ask asks the event log for the next events of a partition, up to an offset.
func (r *reader) ask(ctx context.Context, p *partition, until int64) error {
	stored, next, err := r.log.Stored(ctx, r.spec.span(r.topic, p.number, p.next, until), storedBytes)
	if err != nil {
		return fmt.Errorf("reading the events of partition %d from offset %d on from the event log: %w", p.number, p.next, err)
	}
	for _, e := range stored {
		p.add(event{EventMeta: e.EventMeta, offset: e.Offset, body: e.Body, isOwn: true})
	}
	p.pass(next)
	p.window = nextWindow(p.window, len(stored), p.bytes, next < until)
	return nil
}

// nextWindow returns how many offsets to ask for after a window that brought so much, or was cut.
func nextWindow(window int64, events, bytes int, isCut bool) int64 {
	switch {
	case isCut || events > 2*fewStored || bytes > storedBytes/2:
		return max(window/2, 1)
	case events < fewStored && bytes < storedBytes/4:
		return min(window*2, maxWindow)
	}
	return window
}
