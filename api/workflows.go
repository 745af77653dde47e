package api

import (
	"cmp"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/schemas"
)

// Workflow is a workflow of an environment, known by the triggers that name it.
type Workflow struct {
	Key         string `json:"key"`
	Environment string `json:"environment"`
	Triggers    int    `json:"triggers"`
	Active      int    `json:"active"` // of the triggers
}

// listWorkflows filters by environment.
func (a *API) listWorkflows(c *fiber.Ctx) error {
	byKey := map[Workflow]*Workflow{}
	shown := []Workflow{}
	for _, trigger := range a.reader.Snapshot().Triggers() {
		if !matches(c.Query("environment"), trigger.Environment) {
			continue
		}
		identity := Workflow{Key: trigger.Workflow, Environment: trigger.Environment}
		if byKey[identity] == nil {
			byKey[identity] = &Workflow{Key: trigger.Workflow, Environment: trigger.Environment}
		}
		byKey[identity].Triggers++
		if trigger.Status == schemas.TriggerActive {
			byKey[identity].Active++
		}
	}
	for _, workflow := range byKey {
		shown = append(shown, *workflow)
	}
	slices.SortFunc(shown, func(a, b Workflow) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Environment, b.Environment))
	})
	return c.JSON(whole(shown))
}
