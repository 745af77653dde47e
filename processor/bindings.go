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

// bindings knows what the catalog says about events, with the triggers compiled, each once per revision. It holds no
// more than the catalog does: what left the catalog is dropped with the next snapshot.
type bindings struct {
	logger   *slog.Logger
	snapshot *catalog.Snapshot
	byID     map[string]*compiledTrigger
	byEvent  map[eventName]*binding
}

// eventName is what events are looked up by.
type eventName struct{ environment, sourceID, event string }

// binding is what the catalog says about the events of a name.
type binding struct {
	source   string        // the name of the event's source
	window   time.Duration // the dedup window of the event's endpoint, 0 for off
	triggers []*compiledTrigger
}

// maxNames bounds how many event names are remembered: they come from outside.
const maxNames = 10_000

// follow moves on to a snapshot.
func (b *bindings) follow(snapshot *catalog.Snapshot) {
	if b.snapshot == snapshot {
		return
	}
	before := b.byID
	b.snapshot, b.byID, b.byEvent = snapshot, map[string]*compiledTrigger{}, map[eventName]*binding{}
	for _, trigger := range snapshot.Triggers() {
		if known, found := before[trigger.ID]; found && known.Revision == trigger.Revision {
			b.byID[trigger.ID] = known
			continue
		}
		rule, err := rules.Compile(trigger)
		b.byID[trigger.ID] = &compiledTrigger{Trigger: &trigger, rule: rule, invalid: err, logger: b.logger}
	}
}

// of returns what the catalog says about an event.
func (b *bindings) of(meta schemas.EventMeta) *binding {
	name := eventName{meta.Environment, meta.SourceID, meta.Event}
	if known, found := b.byEvent[name]; found {
		return known
	}
	made := &binding{source: meta.SourceID, window: window(b.snapshot, meta)}
	if source, found := b.snapshot.Source(meta.SourceID); found {
		made.source = source.Name
	}
	for _, trigger := range b.snapshot.Bound(meta.Environment, meta.SourceID, meta.Event) {
		made.triggers = append(made.triggers, b.byID[trigger.ID])
	}
	if len(b.byEvent) >= maxNames {
		clear(b.byEvent)
	}
	b.byEvent[name] = made
	return made
}
