package replay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// The bounds on what is evaluated before it is written and committed.
const (
	maxChunkEvents = 20_000   // of a partition
	maxChunkBytes  = 64 << 20 // of decisions and runs, of all partitions together
	minChunkBytes  = 1 << 20  // of a partition, however many there are
	maxChunkTime   = 2 * time.Second
)

// limits end a chunk that has reached them, but not within an event.
type limits struct{ runs, bytes int }

// chunk is what comes of the first pending events of a partition. Nothing of it is done yet.
type chunk struct {
	partition *partition
	events    int // how many of the pending ones it is about
	counts    counts
	decisions []record
	runs      []rules.RunRecord
	isBehind  bool // the event log does not know yet what was decided on the event after these
}

// record is a decision as it is written to Kafka.
type record struct{ key, value []byte }

// evaluator asks triggers about events. It is for one goroutine at a time.
type evaluator struct {
	spec  *spec
	log   *query.Log
	topic string // of the events
	draft *rules.Draft
	watch watcher // nil where nobody watches
}

// watcher sees what was decided on events, of one chunk after the other.
type watcher interface {
	// decided is called with each event that went through the triggers; the draft is used again for the next.
	decided(e event, draft *rules.Draft)
	// ended is called at the end of a chunk, with where its events lie and which of its runs exist; nil where nobody asked.
	ended(ctx context.Context, span query.Span, known map[string]query.KnownRun) error
}

func newEvaluator(s *spec, log *query.Log, topic string, watch watcher) *evaluator {
	draft := rules.NewDraft()
	draft.Generation = s.Generation
	return &evaluator{spec: s, log: log, topic: topic, draft: draft, watch: watch}
}

// evaluate asks about the next events of a partition.
func (e *evaluator) evaluate(ctx context.Context, p *partition, limit limits) (*chunk, error) {
	events := p.pending[:min(len(p.pending), maxChunkEvents)]
	c := &chunk{partition: p}
	if len(events) == 0 {
		return c, nil
	}
	span := e.around(p, events)
	var statuses map[int64]schemas.Status
	if e.spec.asksStatuses() {
		var err error
		if statuses, err = e.log.Statuses(ctx, span); err != nil {
			return nil, fmt.Errorf("asking what was decided on the events of partition %d: %w", p.number, err)
		}
	}
	at, bytes := time.Now().UTC().Truncate(time.Millisecond), 0
	for _, next := range events {
		if statuses != nil {
			status, isKnown := statuses[next.offset]
			if !isKnown {
				c.isBehind = true
				break
			}
			if !e.spec.includes(status) {
				c.events++
				c.counts.Read++
				c.counts.Skipped++
				continue
			}
		}
		c.events++
		bytes += e.decide(c, next, at)
		if len(c.runs) >= limit.runs || bytes >= limit.bytes || time.Since(at) > maxChunkTime {
			break
		}
	}
	return c, e.dropKnown(ctx, c, span)
}

// around is the place and time of some events.
func (e *evaluator) around(p *partition, events []event) query.Span {
	span := e.spec.span(e.topic, p.number, events[0].offset, events[len(events)-1].offset+1)
	span.From, span.To = events[0].ReceivedAt, events[0].ReceivedAt
	for _, next := range events {
		if next.ReceivedAt.Before(span.From) {
			span.From = next.ReceivedAt
		}
		if next.ReceivedAt.After(span.To) {
			span.To = next.ReceivedAt
		}
	}
	span.To = span.To.Add(time.Millisecond)
	return span
}

// decide asks the triggers about an event that the filter lets through, and returns the size of what is to be written.
func (e *evaluator) decide(c *chunk, next event, at time.Time) int {
	c.counts.Read++
	draft := e.draft
	draft.Begin(schemas.Decision{
		Schema: schemas.Version, EventID: next.EventID, SourceID: next.SourceID, Environment: next.Environment, Event: next.Event,
		ReceivedAt: next.ReceivedAt, DecidedAt: at, ReplayID: e.spec.ID,
		Input: schemas.Position{Partition: c.partition.number, Offset: next.offset},
	})
	draft.Look(next.EventMeta, next.body, e.spec.Source)
	if e.spec.where != nil {
		holds, err := draft.Passes(e.spec.where)
		if err != nil {
			c.counts.fail("where: "+err.Error(), 1)
		}
		if !holds {
			return 0
		}
	}
	c.counts.Matched++
	for _, trigger := range e.spec.triggers(next.Event) {
		draft.Ask(trigger)
	}
	for _, made := range draft.Triggers {
		if made.Outcome == schemas.MappingError || made.Outcome == schemas.ConditionError {
			c.counts.fail(made.Reason, 1)
		}
	}
	if e.watch != nil {
		e.watch.decided(next, draft)
	}
	return e.keep(c)
}

func (e *evaluator) keep(c *chunk) int {
	key, value := e.draft.Record()
	c.decisions = append(c.decisions, record{key, value})
	bytes := len(key) + len(value)
	for _, run := range e.draft.Runs {
		c.runs = append(c.runs, run)
		bytes += len(run.Key) + len(run.Value)
	}
	return bytes
}

// dropKnown leaves out the runs that have been created before. Those of a generation of its own have not.
func (e *evaluator) dropKnown(ctx context.Context, c *chunk, span query.Span) error {
	var known map[string]query.KnownRun
	if e.spec.Generation == 0 && len(c.runs) > 0 {
		ids := make([]string, len(c.runs))
		for i, run := range c.runs {
			ids[i] = run.RunID
		}
		var err error
		if known, err = e.log.KnownRuns(ctx, span, ids, e.spec.ID); err != nil {
			return fmt.Errorf("asking which runs of partition %d exist: %w", c.partition.number, err)
		}
		made := len(c.runs)
		c.runs = slices.DeleteFunc(c.runs, func(run rules.RunRecord) bool {
			_, exists := known[run.RunID]
			return exists
		})
		c.counts.Existed = int64(made - len(c.runs))
	}
	c.counts.Created = int64(len(c.runs))
	if e.watch == nil {
		return nil
	}
	return e.watch.ended(ctx, span, known)
}
