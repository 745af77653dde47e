package processor

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// compiledTrigger is a trigger that is switched off when it stays slow. Deciders share it.
type compiledTrigger struct {
	*rules.Bound
	logger *slog.Logger

	slowness slowness
	isOff    atomic.Bool   // for being slow
	off      *atomic.Int64 // how many are
}

func newCompiledTrigger(trigger schemas.Trigger, off *atomic.Int64, logger *slog.Logger) *compiledTrigger {
	return &compiledTrigger{Bound: rules.Bind(trigger), off: off, logger: logger}
}

// note counts how long an evaluation took and switches a trigger off that stays slow, until its next revision: it
// would hold up the events of everybody else.
//
// This is the one decision that depends on time and not on the log and the catalog alone: when an event is processed
// again, a trigger may be off that was on before, or the reverse. That is acceptable because it invents nothing. Where
// the trigger is on, the run has the ID and the body it always has, so a run that was written before stays the same
// run. Where it is off, the event is marked as failed with the reason, and can be replayed.
func (c *compiledTrigger) note(took time.Duration, eventID string) {
	if !c.slowness.note(took) || c.isOff.Swap(true) {
		return
	}
	c.off.Add(1)
	c.logger.Error("a trigger is switched off until it is changed: evaluating it is slow again and again",
		"trigger", c.ID, "revision", c.Revision, "took", took, "limit", slowAfter, "event_id", eventID)
}

// compiledTriggers keeps the triggers of the current catalog compiled, each once per revision. It holds no more than
// the catalog does: what left the catalog is dropped with the next snapshot.
type compiledTriggers struct {
	logger   *slog.Logger
	snapshot *catalog.Snapshot
	byID     map[string]*compiledTrigger
	off      atomic.Int64 // how many are switched off for being slow
}

// follow moves on to a snapshot. Nobody may be deciding meanwhile.
func (c *compiledTriggers) follow(snapshot *catalog.Snapshot) {
	if c.snapshot == snapshot {
		return
	}
	if c.byID == nil {
		c.byID = map[string]*compiledTrigger{}
	}
	snapshot.TriggersSince(c.snapshot, func(trigger *schemas.Trigger) {
		if known, found := c.byID[trigger.ID]; !found || known.Revision != trigger.Revision {
			c.drop(trigger.ID)
			c.byID[trigger.ID] = newCompiledTrigger(*trigger, &c.off, c.logger)
		}
	}, c.drop)
	c.snapshot = snapshot
}

func (c *compiledTriggers) drop(id string) {
	if known, found := c.byID[id]; found && known.isOff.Load() {
		c.off.Add(-1)
	}
	delete(c.byID, id)
}
