package replay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// maxSampleBytes is how much of a sample's request is shown.
const maxSampleBytes = 16 << 10

// findings are what comparisons have found, side by side.
type findings struct {
	mu      sync.Mutex // guards what follows
	samples []schemas.ReplaySample
	diff    []schemas.ReplayDiff
	places  map[string]int // of a trigger in diff
}

func newFindings(s *spec) *findings {
	f := &findings{samples: []schemas.ReplaySample{}, places: map[string]int{}}
	for i, trigger := range s.Triggers {
		f.diff = append(f.diff, schemas.ReplayDiff{TriggerID: trigger.ID})
		f.places[trigger.ID] = i
	}
	return f
}

func (f *findings) preview(progress schemas.ReplayProgress) schemas.ReplayPreview {
	f.mu.Lock()
	defer f.mu.Unlock()
	return schemas.ReplayPreview{ReplayProgress: progress, Samples: f.samples, Diff: f.diff}
}

// comparison compares what triggers do with events with what they did when the events came. It is the watcher of one
// evaluator.
type comparison struct {
	spec     *spec
	log      *query.Log
	findings *findings
	made     []made // of the chunk under way
}

// made is what a trigger does with an event.
type made struct {
	event   event
	outcome schemas.Outcome
	trigger string
	live    string // the ID of the run that live traffic would create
	run     schemas.Run
	hash    [sha256.Size]byte // of the run's request
}

// decided notes what the triggers do with an event. It keeps the runs, whose records stay as they are.
func (c *comparison) decided(e event, draft *rules.Draft) {
	e.body = nil
	runs := draft.Runs
	for _, entry := range draft.Triggers {
		m := made{event: e, outcome: entry.Outcome, trigger: entry.TriggerID, live: schemas.RunID(entry.TriggerID, e.EventID, 0).String()}
		if entry.RunID != "" {
			// What a draft has written can be read.
			m.run, _ = schemas.DecodeRun(runs[0].Value)
			m.hash = sha256.Sum256(m.run.Request)
			runs = runs[1:]
		}
		c.made = append(c.made, m)
	}
}

// ended asks for what was done with the events of the chunk when they came, and compares.
func (c *comparison) ended(ctx context.Context, span query.Span, known map[string]query.KnownRun) error {
	defer func() {
		clear(c.made)
		c.made = c.made[:0]
	}()
	if len(c.made) == 0 {
		return nil
	}
	var ids, triggers []string
	for _, m := range c.made {
		if m.run.RunID != "" {
			ids = append(ids, m.live)
		}
	}
	for _, trigger := range c.spec.Triggers {
		triggers = append(triggers, trigger.ID)
	}
	then, err := c.log.Outcomes(ctx, span, triggers)
	if err == nil && known == nil {
		known, err = c.log.KnownRuns(ctx, span, ids, c.spec.ID)
	}
	if err != nil {
		return fmt.Errorf("asking what was done with the events of partition %d when they came: %w", span.Partition, err)
	}
	c.findings.mu.Lock()
	defer c.findings.mu.Unlock()
	for _, m := range c.made {
		run, exists := known[m.live]
		differs := exists && run.Request != m.hash
		c.findings.add(m, outcomeOf(then[m.event.offset], m.trigger), exists, differs)
		c.findings.sample(m, exists && c.spec.Generation == 0, differs)
	}
	return nil
}

// outcomeOf returns what a trigger did, "" if it was not asked.
func outcomeOf(entries []schemas.TriggerDecision, trigger string) schemas.Outcome {
	for _, entry := range entries {
		if entry.TriggerID == trigger {
			return entry.Outcome
		}
	}
	return ""
}

func hasFailed(outcome schemas.Outcome) bool {
	return outcome == schemas.MappingError || outcome == schemas.ConditionError
}

func (f *findings) add(m made, then schemas.Outcome, exists, differs bool) {
	diff := &f.diff[f.places[m.trigger]]
	if hasFailed(then) {
		diff.FailedThen++
	}
	if hasFailed(m.outcome) {
		diff.FailsNow++
	}
	switch {
	case m.outcome == schemas.Matched && then != schemas.Matched:
		diff.NewlyMatched++
	case m.outcome == schemas.ConditionFalse && then == schemas.Matched:
		diff.NoLonger++
	case m.outcome != schemas.Matched:
	case differs:
		diff.Changed++
	case exists:
		diff.Same++
	default:
		diff.Uncompared++
	}
}

func (f *findings) sample(m made, exists, differs bool) {
	if len(f.samples) >= schemas.MaxReplaySamples || m.run.RunID == "" {
		return
	}
	request := string(m.run.Request)
	isCut := len(request) > maxSampleBytes
	if isCut {
		request = strings.ToValidUTF8(request[:maxSampleBytes], "")
	}
	f.samples = append(f.samples, schemas.ReplaySample{
		EventID: m.event.EventID, Event: m.event.Event, TriggerID: m.trigger, Workflow: m.run.Workflow, RunID: m.run.RunID,
		Request: request, RequestIsCut: isCut, ExistsAlready: exists, DiffersFromThen: differs,
	})
}
