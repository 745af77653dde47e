package processor

import (
	"log/slog"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// compiledTrigger is a trigger with its compiled rule, or with the reason why there is none.
type compiledTrigger struct {
	*schemas.Trigger
	rule    *rules.Trigger
	invalid error
	logger  *slog.Logger

	slowness slowness
	isOff    bool
}

// decision returns the entry of the trigger in a decision, without an outcome.
func (c *compiledTrigger) decision() schemas.TriggerDecision {
	return schemas.TriggerDecision{TriggerID: c.ID, Revision: c.Revision, Workflow: c.Workflow}
}

// note counts how long an evaluation took and switches a trigger off that stays slow, until its next revision: it
// would hold up the events of everybody else.
//
// This is the one decision that depends on time and not on the log and the catalog alone: when an event is processed
// again, a trigger may be off that was on before, or the reverse. That is acceptable because it invents nothing. Where
// the trigger is on, the run has the ID and the body it always has, so a run that was written before stays the same
// run. Where it is off, the event is marked as failed with the reason, and can be replayed.
func (c *compiledTrigger) note(took time.Duration, eventID string) {
	if c.isOff || !c.slowness.note(took) {
		return
	}
	c.isOff = true
	c.logger.Error("a trigger is switched off until it is changed: evaluating it is slow again and again",
		"trigger", c.ID, "revision", c.Revision, "took", took, "limit", slowAfter, "event", eventID)
}

// compiledTriggers keeps the triggers of the current catalog compiled, each once per revision. It holds no more than
// the catalog does: what left the catalog is dropped with the next snapshot.
type compiledTriggers struct {
	logger   *slog.Logger
	snapshot *catalog.Snapshot
	byID     map[string]*compiledTrigger
	byEvent  map[boundTo][]*compiledTrigger
}

// boundTo is what triggers are looked up by.
type boundTo struct{ environment, sourceID, event string }

// maxBound bounds how many event names are remembered with their triggers: names come from outside.
const maxBound = 10_000

// follow moves on to a snapshot.
func (c *compiledTriggers) follow(snapshot *catalog.Snapshot) {
	if c.snapshot == snapshot {
		return
	}
	before := c.byID
	c.snapshot, c.byID, c.byEvent = snapshot, map[string]*compiledTrigger{}, map[boundTo][]*compiledTrigger{}
	for _, trigger := range snapshot.Triggers() {
		if known, found := before[trigger.ID]; found && known.Revision == trigger.Revision {
			c.byID[trigger.ID] = known
			continue
		}
		rule, err := rules.Compile(trigger)
		c.byID[trigger.ID] = &compiledTrigger{Trigger: &trigger, rule: rule, invalid: err, logger: c.logger}
	}
}

// bound returns the triggers that an event concerns.
func (c *compiledTriggers) bound(meta schemas.EventMeta) []*compiledTrigger {
	key := boundTo{meta.Environment, meta.SourceID, meta.Event}
	bound, known := c.byEvent[key]
	if known {
		return bound
	}
	for _, trigger := range c.snapshot.Bound(meta.Environment, meta.SourceID, meta.Event) {
		bound = append(bound, c.byID[trigger.ID])
	}
	if len(c.byEvent) >= maxBound {
		clear(c.byEvent)
	}
	c.byEvent[key] = bound
	return bound
}
