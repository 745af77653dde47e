package replay

import (
	"bytes"

	"github.com/millrace/millrace/schemas"
)

// event is an event that a replay wants.
type event struct {
	schemas.EventMeta
	offset int64
	body   []byte
	isOwn  bool // body shares no memory with what else was fetched
}

// partition is what is known of one partition while it is read: from position on nothing is done, from next on nothing
// is read, and the events that are wanted in between are pending.
type partition struct {
	number   int32
	position int64
	next     int64
	end      int64
	pending  []event
	bytes    int // of the bodies of pending

	isTailed bool  // read from Kafka; from the event log else
	window   int64 // how many offsets to ask the event log for at once
	counts   counts
}

func newPartition(span schemas.ReplayRange, at checkpoint) *partition {
	position := max(span.Start, at.next)
	return &partition{number: span.Partition, position: position, next: position, end: span.End, window: firstWindow, counts: at.counts}
}

// isRead reports whether there is nothing left to read.
func (p *partition) isRead() bool { return p.next >= p.end }

// isDone reports whether there is nothing left to do.
func (p *partition) isDone() bool { return p.position >= p.end }

// add takes an event that has been read, and all offsets up to it as read.
func (p *partition) add(e event) {
	p.pending = append(p.pending, e)
	p.bytes += len(e.body)
	p.pass(e.offset + 1)
}

// pass takes the offsets before next as read.
func (p *partition) pass(next int64) { p.next = max(p.next, min(next, p.end)) }

// after returns the position once so many of the pending events are done.
func (p *partition) after(events int) int64 {
	if events == len(p.pending) {
		return p.next
	}
	return p.pending[events].offset
}

// finish takes so many of the pending events as done. Those that stay may stay long: they let go of the fetch they came in.
func (p *partition) finish(events int, done counts) {
	p.position = p.after(events)
	for _, e := range p.pending[:events] {
		p.bytes -= len(e.body)
	}
	clear(p.pending[:events]) // their bodies are free
	p.pending = p.pending[events:]
	for i := range p.pending {
		if e := &p.pending[i]; !e.isOwn {
			e.body, e.isOwn = bytes.Clone(e.body), true
		}
	}
	if len(p.pending) == 0 {
		p.pending = nil
	}
	p.counts = p.counts.plus(done)
}
