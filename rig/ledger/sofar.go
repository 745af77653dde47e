package ledger

import (
	"context"
	"maps"
	"testing"
	"time"
)

// SettleSoFar waits, while senders go on, until the pipeline has finished what has been acknowledged until now, and returns
// how long that took.
func (l *Ledger) SettleSoFar(t testing.TB) time.Duration {
	t.Helper()
	started := time.Now()
	l.mu.Lock()
	wanted := maps.Clone(l.acknowledged)
	l.mu.Unlock()
	book, err := l.newBook()
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	ctx, cancel := context.WithTimeout(context.Background(), l.options.Patience)
	defer cancel()
	looks := time.NewTicker(200 * time.Millisecond)
	defer looks.Stop()
	for {
		book.poll(ctx)
		select {
		case <-looks.C:
		default:
			continue
		}
		left := unfinished(book, wanted)
		if left == 0 {
			return time.Since(started)
		}
		if ctx.Err() != nil {
			t.Fatalf("%d of %d acknowledged events are not finished within %s", left, len(wanted), l.options.Patience)
		}
	}
}

// unfinished returns how many of the events with these numbers are not stored, not decided, or have runs without an end.
func unfinished(b *book, wanted map[int64]struct{}) int {
	left := maps.Clone(wanted)
	for _, e := range b.events {
		isFinished := len(b.decisions[e.eventID]) > 0
		for _, run := range e.runs {
			isFinished = isFinished && b.final[run] != ""
		}
		if isFinished {
			delete(left, e.number)
		}
	}
	return len(left)
}
