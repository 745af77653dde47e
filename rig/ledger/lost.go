package ledger

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lost is a part of a partition that was deleted before the processor had read it.
type lost struct {
	partition   int32
	from, below int64
}

// Keep reads the events that there are, for a test that is about to delete some: what became of them is judged all the same.
func (l *Ledger) Keep(t testing.TB) {
	t.Helper()
	book, err := l.newBook()
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	book.keep = func(record *kgo.Record) { l.kept = append(l.kept, record) }
	if err := book.readToTheEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Lose says that nothing must become of a partition's events from one offset on and below another: the test deletes them
// before they are read. They must be kept.
func (l *Ledger) Lose(partition int32, from, below int64) {
	l.lost = append(l.lost, lost{partition, from, below})
}

// newBook returns a book that knows the events that were kept.
func (l *Ledger) newBook() (*book, error) {
	b, err := newBook(l.options)
	if err != nil {
		return nil, err
	}
	b.lost = l.lost
	for _, record := range l.kept {
		if err := b.add(record); err != nil {
			b.close()
			return nil, fmt.Errorf("reading an event that was kept: %w", err)
		}
	}
	return b, nil
}

func (b *book) isLost(at place) bool {
	for _, gone := range b.lost {
		if gone.partition == at.partition && gone.from <= at.offset && at.offset < gone.below {
			return true
		}
	}
	return false
}
