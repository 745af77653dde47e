package api

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// triggerInput is what can be set; an absent member stays as it is.
type triggerInput struct {
	Environment *string                `json:"environment"`
	SourceID    *string                `json:"source_id"` // an ID, or a name
	Name        *string                `json:"name"`
	Description *string                `json:"description"`
	Event       *string                `json:"event"`
	Workflow    *string                `json:"workflow"`
	Condition   *string                `json:"condition"`
	Mapping     *schemas.Mapping       `json:"mapping"`
	Status      *schemas.TriggerStatus `json:"status"`
}

func (in triggerInput) apply(to *schemas.Trigger) {
	set(&to.Environment, in.Environment)
	set(&to.SourceID, in.SourceID)
	set(&to.Name, in.Name)
	set(&to.Description, in.Description)
	set(&to.Event, in.Event)
	set(&to.Workflow, in.Workflow)
	set(&to.Condition, in.Condition)
	set(&to.Mapping, in.Mapping)
	set(&to.Status, in.Status)
}

// putTrigger saves a trigger, unless it cannot work: what does not compile is reported with everything else.
func putTrigger(tx *catalog.Tx, trigger schemas.Trigger) (schemas.Trigger, error) {
	saved, err := tx.PutTrigger(trigger)
	_, compileErr := rules.Compile(trigger)
	return saved, errors.Join(err, compileErr)
}

func (a *API) createTrigger(c *fiber.Ctx) error {
	var in triggerInput
	if err := decode(c, &in); err != nil {
		return err
	}
	var wanted, created schemas.Trigger
	in.apply(&wanted)
	err := a.writer.Change(c.UserContext(), func(tx *catalog.Tx) (err error) {
		created, err = putTrigger(tx, wanted)
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusCreated, created.Revision, created)
}

func (a *API) updateTrigger(c *fiber.Ctx) error {
	var in triggerInput
	if err := decode(c, &in); err != nil {
		return err
	}
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	var updated schemas.Trigger
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		trigger, err := triggerAt(tx.Snapshot(), c.Params("id"), revision)
		if err != nil {
			return err
		}
		in.apply(&trigger)
		updated, err = putTrigger(tx, trigger)
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, updated.Revision, updated)
}

// copyTrigger makes the trigger again in another environment, inactive unless something else is asked for: what was
// tried out elsewhere starts runs only once somebody says so.
func (a *API) copyTrigger(c *fiber.Ctx) error {
	var in struct {
		Environment string                `json:"environment"`
		Name        *string               `json:"name"`
		Status      schemas.TriggerStatus `json:"status"`
	}
	in.Status = schemas.TriggerInactive
	if err := decode(c, &in); err != nil {
		return err
	}
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	var created schemas.Trigger
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		trigger, err := triggerAt(tx.Snapshot(), c.Params("id"), revision)
		if err != nil {
			return err
		}
		trigger.ID, trigger.Environment, trigger.Status = "", in.Environment, in.Status
		set(&trigger.Name, in.Name)
		created, err = putTrigger(tx, trigger)
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusCreated, created.Revision, created)
}

func (a *API) deleteTrigger(c *fiber.Ctx) error {
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		if _, err := triggerAt(tx.Snapshot(), c.Params("id"), revision); err != nil {
			return err
		}
		return tx.DeleteTrigger(c.Params("id"))
	})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *API) getTrigger(c *fiber.Ctx) error {
	found, err := triggerAt(a.reader.Snapshot(), c.Params("id"), 0)
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, found.Revision, found)
}

// triggerAt finds a trigger at a revision, 0 for any.
func triggerAt(snapshot *catalog.Snapshot, id string, revision int64) (schemas.Trigger, error) {
	found, exists := snapshot.Trigger(id)
	if !exists {
		return found, fmt.Errorf("trigger %q: %w", id, catalog.ErrNotFound)
	}
	return found, catalog.CheckRevision(revision, found.Revision)
}
