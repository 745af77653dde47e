// Package ledger judges a run of the whole pipeline, whatever was done to it meanwhile: it holds what senders were told
// against what Kafka, the workflow API and ClickHouse have in the end. What must be there it computes by itself from the
// events topic and the triggers' meaning; nothing of the code under test decides here.
package ledger

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/kafka"
	"github.com/millrace/millrace/schemas"
)

// Trigger is one of the catalog with what it means, in plain Go.
type Trigger struct {
	schemas.Trigger
	Sees    func(number int64) bool // whether it is bound to the event with this number; nil is to all
	Matches func(number int64) bool // whether it starts a run for that event
	Fails   func(number int64) bool // whether it fails on that event, which its run then is not started for; nil is never
}

// Options says what is judged.
type Options struct {
	Kafka       kafka.Config
	ClickHouse  string // DSN of the event log's database; "" is not to look into it
	ExactlyOnce bool   // whether nothing may be in Kafka twice; else what is there twice must be the same
	Triggers    []Trigger
	// Dead says of an event whether its runs end as dead letters, because the workflow API refuses them; nil is none.
	Dead func(number int64) bool
	// Refused says of an event whether ClickHouse refuses its row, which must then be in quarantine; nil is none. A record
	// of the events topic that is no event must be there, too.
	Refused func(number int64) bool
	Effects func() map[string]Effect // what the workflow API did, by run ID
	// DialClickHouse reaches ClickHouse where that is no TCP port; nil is where the DSN says.
	DialClickHouse func(ctx context.Context, address string) (net.Conn, error)
	Patience       time.Duration // how long the pipeline may take to finish what is left; it is no expectation
}

// Effect is what the workflow API did for one idempotency key.
type Effect struct {
	Starts  int // times that it started a run: 1 unless the key came back with other bytes or too late
	Calls   int // requests with this key that were answered 2xx
	Changed int // requests with other bytes than the first
	Body    []byte
}

// Ledger collects what senders were told. Its methods can be called by several goroutines.
type Ledger struct {
	options Options

	mu           sync.Mutex // guards acknowledged
	acknowledged map[int64]struct{}

	kept []*kgo.Record // events that Kafka may not have any more
	lost []lost
}

// New returns an empty ledger.
func New(options Options) *Ledger {
	for _, choice := range []*func(int64) bool{&options.Dead, &options.Refused} {
		if *choice == nil {
			*choice = func(int64) bool { return false }
		}
	}
	return &Ledger{options: options, acknowledged: map[int64]struct{}{}}
}

// Acknowledge notes that the event with this number was answered 204.
func (l *Ledger) Acknowledge(number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[number] = struct{}{}
}

// Acknowledged returns how many events were.
func (l *Ledger) Acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

// AcknowledgedOf returns how many events were whose number is meant.
func (l *Ledger) AcknowledgedOf(isMeant func(number int64) bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for number := range l.acknowledged {
		if isMeant(number) {
			count++
		}
	}
	return count
}

// Report is what was compared.
type Report struct {
	Acknowledged int // events that were answered 204
	Events       int // records of the events topic
	Duplicates   int // of them, repeats
	Runs         int // that the events had to start
	Dead         int // of them, those that had to end as dead letters
	Doubled      int // decisions and runs that are there once more
	Quarantined  int // rows that had to be in quarantine
	Resent       int // calls for runs that the workflow API had started before
	Rows         int // of ClickHouse
	Finished     time.Duration
}

func (r Report) String() string {
	return fmt.Sprintf("%d acknowledged; %d events (%d duplicates), %d runs (%d dead) and %d rows (%d in quarantine) compared; %d records are there once more, %d calls came again; finished after %s",
		r.Acknowledged, r.Events, r.Duplicates, r.Runs, r.Dead, r.Rows, r.Quarantined, r.Doubled, r.Resent, r.Finished.Round(time.Millisecond))
}

// Settle waits until the pipeline has finished everything that was acknowledged, and fails the test where it does not
// come to an end. Nobody may be sending any more.
func (l *Ledger) Settle(t testing.TB) {
	t.Helper()
	book, err := l.newBook()
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	if left := l.settle(t.Context(), book); left != "" {
		t.Fatal(left)
	}
}

// Check fails the test with the first few things that are wrong.
func (l *Ledger) Check(t testing.TB) Report {
	t.Helper()
	report, wrong, err := l.Problems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	const shown = 10
	for i, problem := range wrong {
		if i == shown {
			t.Errorf("... and %d more", len(wrong)-i)
			break
		}
		t.Error(problem)
	}
	return report
}

// Problems settles, compares everything and returns what is wrong. The error is why nothing can be said.
func (l *Ledger) Problems(ctx context.Context) (Report, []string, error) {
	started := time.Now()
	book, err := l.newBook()
	if err != nil {
		return Report{}, nil, err
	}
	defer book.close()
	var wrong problems
	if left := l.settle(ctx, book); left != "" {
		wrong.add("%s", left)
	}
	report := Report{Acknowledged: l.Acknowledged(), Finished: time.Since(started)}
	if err := book.readToTheEnd(ctx); err != nil {
		return report, wrong.all, err
	}
	l.checkAcknowledged(book, &wrong)
	l.checkKafka(book, &wrong, &report)
	l.checkEffects(book, &wrong, &report)
	err = l.checkClickHouse(ctx, book, &wrong, &report)
	return report, wrong.all, err
}

// problems collects what is wrong.
type problems struct{ all []string }

func (p *problems) add(format string, args ...any) {
	p.all = append(p.all, fmt.Sprintf(format, args...))
}
