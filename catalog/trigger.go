package catalog

import (
	"fmt"

	"github.com/millrace/millrace/schemas"
)

// PutTrigger saves a trigger: a new one where it has no ID, active unless it says otherwise, or else the next revision
// of the one with this ID. The source may be given by name. A trigger without a name keeps the one it has, or is called
// after its workflow. Condition and mapping must have been compiled before.
func (tx *Tx) PutTrigger(trigger schemas.Trigger) (schemas.Trigger, error) {
	var before schemas.Trigger
	if trigger.ID == "" {
		if tx.view.triggers.size >= maxTriggers {
			return trigger, full("triggers", maxTriggers)
		}
		trigger.ID, trigger.CreatedAt = newID(triggerIDPrefix), tx.at
	} else {
		known, exists := tx.view.Trigger(trigger.ID)
		if !exists {
			return trigger, fmt.Errorf("trigger %q: %w", trigger.ID, ErrNotFound)
		}
		before = known
		trigger.CreatedAt = before.CreatedAt
	}
	trigger.Revision, trigger.UpdatedAt = before.Revision+1, tx.at
	if trigger.Status == "" {
		trigger.Status = schemas.TriggerActive
	}
	if source, found := tx.view.Source(trigger.SourceID); found {
		trigger.SourceID = source.ID
	}
	if trigger.Name == "" {
		trigger.Name = before.Name
	}
	if trigger.Name == "" {
		trigger.Name = tx.freeName(trigger.Environment, trigger.Workflow)
	}
	if err := checkTrigger(tx.view, trigger); err != nil {
		return trigger, err
	}
	return trigger, tx.put(schemas.CatalogEntry{Trigger: &trigger})
}

// DeleteTrigger removes a trigger. What it started stays in the log.
func (tx *Tx) DeleteTrigger(id string) error {
	if !tx.view.triggers.has(id) {
		return fmt.Errorf("trigger %q: %w", id, ErrNotFound)
	}
	return tx.remove(triggerKey(id))
}

// freeName returns the workflow's key, or else the key with the first number from 2 on that a search by halves finds
// free: with a thousand triggers of a workflow, trying one after the other would take long.
func (tx *Tx) freeName(environment, workflow string) string {
	isTaken := func(name string) bool { return tx.view.triggerIDs.has(triggerName{environment, name}) }
	if !isTaken(workflow) {
		return workflow
	}
	numbered := func(n int) string {
		suffix := fmt.Sprint("-", n)
		return workflow[:min(len(workflow), maxNameBytes-len(suffix))] + suffix
	}
	taken, free := 1, 2
	for isTaken(numbered(free)) {
		taken, free = free, 2*free
	}
	for free-taken > 1 {
		if middle := (taken + free) / 2; isTaken(numbered(middle)) {
			taken = middle
		} else {
			free = middle
		}
	}
	return numbered(free)
}
