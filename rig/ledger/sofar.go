package ledger

import (
	"fmt"
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
	left := l.await(t.Context(), book, func() string {
		if left := unfinished(book, wanted); left > 0 {
			return fmt.Sprintf("%d of %d acknowledged events are not finished", left, len(wanted))
		}
		return ""
	})
	if left != "" {
		t.Fatal(left)
	}
	return time.Since(started)
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
