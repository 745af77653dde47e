package ledger

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/millrace/millrace/schemas"
)

// settle reads until everything acknowledged is stored, each event decided and each run at its end. It returns what is
// not when patience is over.
func (l *Ledger) settle(ctx context.Context, b *book) (left string) {
	return l.await(ctx, b, func() string { return l.left(b) })
}

// await reads until nothing is left, or patience is over: then it returns what is.
func (l *Ledger) await(ctx context.Context, b *book, left func() string) string {
	ctx, cancel := context.WithTimeout(ctx, l.options.Patience)
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
		what := left()
		if what == "" {
			return ""
		}
		if ctx.Err() != nil {
			return fmt.Sprintf("the pipeline does not finish within %s: %s", l.options.Patience, what)
		}
	}
}

// left says what is not finished; "" is nothing.
func (l *Ledger) left(b *book) string {
	missing, undecided, open, example := len(l.missing(b)), 0, 0, ""
	for _, e := range b.events {
		if len(b.decisions[e.eventID]) == 0 && !e.isLost {
			undecided++
		}
		for _, run := range e.runs {
			if b.final[run] == "" {
				open++
				example = fmt.Sprintf("run %s of event %d, decided %+v, %d times in the topic", run, e.number, b.decisions[e.eventID], b.runs[run].copies)
			}
		}
	}
	if missing+undecided+open == 0 {
		return ""
	}
	return fmt.Sprintf("%d acknowledged events are not in the topic, %d of %d have no decision, %d runs have no end (%s)",
		missing, undecided, len(b.events), open, example)
}

// missing returns the numbers that were acknowledged and are not in the topic.
func (l *Ledger) missing(b *book) map[int64]struct{} {
	l.mu.Lock()
	acknowledged := maps.Clone(l.acknowledged)
	l.mu.Unlock()
	for number := range b.numbers {
		delete(acknowledged, number)
	}
	return acknowledged
}

func (l *Ledger) checkAcknowledged(b *book, wrong *problems) {
	for number := range l.missing(b) {
		wrong.add("event %d was acknowledged and is not in the topic", number)
	}
}

// checkKafka compares decisions and runs with what must be.
func (l *Ledger) checkKafka(b *book, wrong *problems, report *Report) {
	report.Events = len(b.events)
	decisions, runs := maps.Clone(b.decisions), maps.Clone(b.runs)
	for _, e := range b.events {
		if e.status == schemas.Duplicate {
			report.Duplicates++
		}
		l.checkDecisions(e, decisions[e.eventID], wrong)
		report.Doubled += max(0, len(decisions[e.eventID])-1)
		delete(decisions, e.eventID)
		for _, id := range e.runs {
			report.Runs++
			if copies := runs[id].copies; copies == 0 || copies > 1 && l.options.ExactlyOnce {
				wrong.add("run %s of event %d is there %d times", id, e.number, copies)
			}
			report.Doubled += max(0, runs[id].copies-1)
			if runs[id].differ {
				wrong.add("copies of run %s of event %d are not the same", id, e.number)
			}
			delete(runs, id)
		}
	}
	for id := range decisions {
		wrong.add("a decision about event %s, which is not in the topic", id)
	}
	for id := range runs {
		wrong.add("run %s should not be", id)
	}
}

func (l *Ledger) checkDecisions(e event, decisions []schemas.Decision, wrong *problems) {
	if e.isLost {
		if len(decisions) > 0 {
			wrong.add("event %d was deleted before it was read and has a decision", e.number)
		}
		return
	}
	if len(decisions) == 0 || len(decisions) > 1 && l.options.ExactlyOnce {
		wrong.add("event %d has %d decisions", e.number, len(decisions))
	}
	for _, decision := range decisions {
		if problem := l.problemOf(e, decision); problem != "" {
			wrong.add("event %d: %s", e.number, problem)
		}
	}
}

// problemOf judges what a decision says of the event and of each trigger; "" is nothing.
func (l *Ledger) problemOf(e event, decision schemas.Decision) string {
	input := schemas.Position{Partition: e.at.partition, Offset: e.at.offset}
	if decision.Status != e.status || decision.Input != input {
		return fmt.Sprintf("%s, at %v; want %s, at %v", decision.Status, decision.Input, e.status, input)
	}
	if first := (schemas.Position{Partition: e.first.partition, Offset: e.first.offset}); e.status == schemas.Duplicate {
		if len(decision.Triggers) > 0 || decision.DuplicateOf == nil || *decision.DuplicateOf != first {
			return fmt.Sprintf("duplicate of %v, with %d triggers; want %v and none", decision.DuplicateOf, len(decision.Triggers), first)
		}
		return ""
	}
	outcomes := map[string]schemas.TriggerDecision{}
	for _, trigger := range decision.Triggers {
		outcomes[trigger.TriggerID] = trigger
	}
	triggers := l.options.of(e)
	if want := len(triggers); len(decision.Triggers) != want || len(outcomes) != want {
		return fmt.Sprintf("%d triggers were asked, want %d", len(decision.Triggers), want)
	}
	for _, trigger := range triggers {
		if got := outcomes[trigger.ID]; !trigger.isRight(e, got) {
			return fmt.Sprintf("trigger %s of workflow %s says %q %s, with run %q", trigger.ID, trigger.Workflow, got.Outcome, got.Reason, got.RunID)
		}
	}
	return ""
}

// of returns the triggers that are bound to an event.
func (o Options) of(e event) []Trigger {
	var all []Trigger
	for _, trigger := range o.Triggers {
		if trigger.Sees == nil || trigger.Sees(e.number) {
			all = append(all, trigger)
		}
	}
	return all
}

func (t Trigger) isRight(e event, got schemas.TriggerDecision) bool {
	switch {
	case t.fails(e.number):
		return (got.Outcome == schemas.ConditionError || got.Outcome == schemas.MappingError) && got.RunID == ""
	case t.Matches(e.number):
		return got.Outcome == schemas.Matched && got.RunID == t.runID(e)
	}
	return got.Outcome == schemas.ConditionFalse && got.RunID == ""
}

func (t Trigger) fails(number int64) bool { return t.Fails != nil && t.Fails(number) }

func (t Trigger) runID(e event) string { return schemas.RunID(t.ID, e.eventID, 0).String() }

// checkEffects compares what the workflow API did with what the runs ask for.
func (l *Ledger) checkEffects(b *book, wrong *problems, report *Report) {
	effects := maps.Clone(l.options.Effects())
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
			if effect.Starts > 0 && !bytes.Equal(effect.Body, b.runs[run].request) {
				wrong.add("the workflow API got other bytes than run %s of event %d has", run, e.number)
			}
			report.Resent += max(0, effect.Calls-1)
		}
	}
	for run := range effects {
		wrong.add("the workflow API started run %s, which no event asks for", run)
	}
}
