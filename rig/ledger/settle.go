package ledger

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

// settle reads until everything acknowledged is stored, each event decided and each run at its end.
func (l *Ledger) settle(t testing.TB, b *book) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), l.options.Patience)
	defer cancel()
	looks := time.NewTicker(200 * time.Millisecond) // looking costs as much as there is
	defer looks.Stop()
	for {
		b.poll(ctx)
		select {
		case <-looks.C:
		default:
			continue
		}
		left := l.left(b)
		if left == "" {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the pipeline does not finish within %s: %s", l.options.Patience, left)
		}
	}
}

// left says what is not finished; "" is nothing.
func (l *Ledger) left(b *book) string {
	l.mu.Lock()
	acknowledged := maps.Clone(l.acknowledged)
	l.mu.Unlock()
	for number := range b.numbers {
		delete(acknowledged, number)
	}
	undecided, open := 0, 0
	for _, e := range b.events {
		if len(b.decisions[e.eventID]) == 0 {
			undecided++
		}
		for _, run := range e.runs {
			if b.final[run] == "" {
				open++
			}
		}
	}
	if len(acknowledged)+undecided+open == 0 {
		return ""
	}
	return fmt.Sprintf("%d acknowledged events are not in the topic, %d of %d have no decision, %d runs have no end",
		len(acknowledged), undecided, len(b.events), open)
}

// checkKafka compares decisions and runs with what must be.
func (l *Ledger) checkKafka(b *book, wrong *problems, report *Report) {
	report.Events = len(b.events)
	decisions, runs := maps.Clone(b.decisions), maps.Clone(b.runs)
	for _, e := range b.events {
		if e.status == schemas.Duplicate {
			report.Duplicates++
		}
		l.compare(e, decisions[e.eventID], wrong)
		delete(decisions, e.eventID)
		for _, run := range e.runs {
			report.Runs++
			if copies := runs[run]; copies == 0 || copies > 1 && l.options.ExactlyOnce {
				wrong.add("run %s of event %s is there %d times", run, e.eventID, copies)
			}
			delete(runs, run)
		}
	}
	for id := range decisions {
		wrong.add("a decision about event %s, which is not in the topic", id)
	}
	for id := range runs {
		wrong.add("run %s should not be", id)
	}
}

func (l *Ledger) compare(e event, decisions []schemas.Decision, wrong *problems) {
	if len(decisions) == 0 || len(decisions) > 1 && l.options.ExactlyOnce {
		wrong.add("event %s has %d decisions", e.eventID, len(decisions))
	}
	for _, decision := range decisions {
		made := map[string]bool{}
		for _, trigger := range decision.Triggers {
			if trigger.RunID != "" {
				made[trigger.RunID] = true
			}
		}
		isRight := decision.Status == e.status && len(made) == len(e.runs)
		for _, run := range e.runs {
			isRight = isRight && made[run]
		}
		if !isRight {
			wrong.add("event %s: %s with runs %v, want %s with %v", e.eventID, decision.Status, made, e.status, e.runs)
		}
		first := schemas.Position{Partition: e.first.partition, Offset: e.first.offset}
		if e.status == schemas.Duplicate && (decision.DuplicateOf == nil || *decision.DuplicateOf != first) {
			wrong.add("event %s repeats %v, want %v", e.eventID, decision.DuplicateOf, first)
		}
	}
}

// checkEffects compares what the workflow API did with what the runs ask for.
func (l *Ledger) checkEffects(b *book, wrong *problems, report *Report) {
	effects := l.options.Effects()
	for _, e := range b.events {
		for _, run := range e.runs {
			effect := effects[run]
			delete(effects, run)
			want := schemas.Delivered
			if l.options.Dead(e.number) {
				want = schemas.Dead
				report.Dead++
			}
			if got, isDead := b.final[run], b.dead[run] > 0; got != want || isDead != (want == schemas.Dead) {
				wrong.add("run %s of event %d ended %s, want %s; there are %d dead letters of it", run, e.number, got, want, b.dead[run])
			}
			if starts := map[schemas.DeliveryOutcome]int{schemas.Delivered: 1}[want]; effect.Starts != starts || effect.Changed > 0 {
				wrong.add("the workflow API started run %s %d times and saw %d other bodies, want %d and none", run, effect.Starts, effect.Changed, starts)
			}
			report.Resent += max(0, effect.Calls-1)
		}
	}
	for run := range effects {
		wrong.add("the workflow API started run %s, which no event asks for", run)
	}
}
