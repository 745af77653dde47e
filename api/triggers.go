package api

import (
	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// triggerInput is what can be set; an absent member stays as it is.
type triggerInput struct {
	Environment *string                `json:"environment"`
	SourceID    *string                `json:"source_id"` // an ID, or a name
	Event       *string                `json:"event"`
	Workflow    *string                `json:"workflow"`
	Condition   *string                `json:"condition"`
	Mapping     *schemas.Mapping       `json:"mapping"`
	Status      *schemas.TriggerStatus `json:"status"`
}

// apply sets what is given and compiles the result, so that a trigger that cannot work is never saved.
func (in triggerInput) apply(to *schemas.Trigger) error {
	set(&to.Environment, in.Environment)
	set(&to.SourceID, in.SourceID)
	set(&to.Event, in.Event)
	set(&to.Workflow, in.Workflow)
	set(&to.Condition, in.Condition)
	set(&to.Mapping, in.Mapping)
	set(&to.Status, in.Status)
	_, err := rules.Compile(*to)
	return err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (a *API) createTrigger(c *fiber.Ctx) error {
	var in triggerInput
	if err := decode(c, &in); err != nil {
		return err
	}
	var wanted schemas.Trigger
	if err := in.apply(&wanted); err != nil {
		return err
	}
	created, err := a.writer.CreateTrigger(c.UserContext(), wanted)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(created)
}

func (a *API) updateTrigger(c *fiber.Ctx) error {
	var in triggerInput
	if err := decode(c, &in); err != nil {
		return err
	}
	updated, err := a.writer.UpdateTrigger(c.UserContext(), c.Params("id"), in.apply)
	if err != nil {
		return err
	}
	return c.JSON(updated)
}

func (a *API) deleteTrigger(c *fiber.Ctx) error {
	if err := a.writer.DeleteTrigger(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// listTriggers filters by environment, source (ID or name) and event.
func (a *API) listTriggers(c *fiber.Ctx) error {
	sourceID, err := a.sourceID(c)
	if err != nil {
		return err
	}
	shown := []schemas.Trigger{}
	for _, trigger := range a.reader.Snapshot().Triggers() {
		if matches(c.Query("environment"), trigger.Environment) && matches(sourceID, trigger.SourceID) && matches(c.Query("event"), trigger.Event) {
			shown = append(shown, trigger)
		}
	}
	return c.JSON(whole(shown))
}

func matches(wanted, value string) bool { return wanted == "" || wanted == value }

func (a *API) getTrigger(c *fiber.Ctx) error {
	trigger, exists := a.reader.Snapshot().Trigger(c.Params("id"))
	if !exists {
		return fiber.NewError(fiber.StatusNotFound, "trigger "+c.Params("id")+": not found")
	}
	return c.JSON(trigger)
}

// sourceID returns the ID of the source that the query names by ID or name, or "".
func (a *API) sourceID(c *fiber.Ctx) (string, error) {
	if c.Query("source") == "" {
		return "", nil
	}
	found, err := a.findSource(c.Query("source"))
	return found.ID, err
}
