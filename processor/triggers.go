package processor

import (
	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// compiledTrigger is a trigger with its compiled rule, or with the reason why there is none.
type compiledTrigger struct {
	*schemas.Trigger
	rule    *rules.Trigger
	invalid error
}

// compiledTriggers keeps the triggers of the current catalog compiled, each once per revision. It holds no more than
// the catalog does: what left the catalog is dropped with the next snapshot.
type compiledTriggers struct {
	snapshot *catalog.Snapshot
	byID     map[string]*compiledTrigger
}

// follow moves on to a snapshot.
func (c *compiledTriggers) follow(snapshot *catalog.Snapshot) {
	if c.snapshot == snapshot {
		return
	}
	before := c.byID
	c.snapshot, c.byID = snapshot, map[string]*compiledTrigger{}
	for _, trigger := range snapshot.Triggers() {
		if known, found := before[trigger.ID]; found && known.Revision == trigger.Revision {
			c.byID[trigger.ID] = known
			continue
		}
		rule, err := rules.Compile(trigger)
		c.byID[trigger.ID] = &compiledTrigger{Trigger: &trigger, rule: rule, invalid: err}
	}
}

// bound returns the triggers that an event concerns.
func (c *compiledTriggers) bound(meta schemas.EventMeta) []*compiledTrigger {
	var bound []*compiledTrigger
	for _, trigger := range c.snapshot.Bound(meta.Environment, meta.SourceID, meta.Event) {
		bound = append(bound, c.byID[trigger.ID])
	}
	return bound
}
