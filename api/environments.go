package api

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// environmentInput is what can be set; an absent member stays as it is.
type environmentInput struct {
	Name        *string           `json:"name"`
	Description *string           `json:"description"`
	Workflows   *workflowAPIInput `json:"workflow_api"`
}

type workflowAPIInput struct {
	Kind        *schemas.WorkflowKind `json:"kind"`
	BaseURL     *string               `json:"base_url"`
	APIKeyRef   *string               `json:"api_key"`
	Concurrency *int                  `json:"concurrency"`
	RateLimit   *float64              `json:"rate_limit"`
	Order       *schemas.RunOrder     `json:"order"`
}

// apply sets everything but the name, which is the environment's identity.
func (in environmentInput) apply(to *schemas.Environment) {
	set(&to.Description, in.Description)
	if in.Workflows != nil {
		set(&to.Workflows.Kind, in.Workflows.Kind)
		set(&to.Workflows.BaseURL, in.Workflows.BaseURL)
		set(&to.Workflows.APIKeyRef, in.Workflows.APIKeyRef)
		set(&to.Workflows.Concurrency, in.Workflows.Concurrency)
		set(&to.Workflows.RateLimit, in.Workflows.RateLimit)
		set(&to.Workflows.Order, in.Workflows.Order)
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (a *API) createEnvironment(c *fiber.Ctx) error {
	var in environmentInput
	if err := decode(c, &in); err != nil {
		return err
	}
	var wanted, created schemas.Environment
	set(&wanted.Name, in.Name)
	in.apply(&wanted)
	err := a.writer.Change(c.UserContext(), func(tx *catalog.Tx) (err error) {
		if _, taken := tx.Snapshot().Environment(wanted.Name); taken {
			return &catalog.InvalidError{Field: "name", Message: fmt.Sprintf("name %q is taken; choose another, or change that environment with PATCH", wanted.Name)}
		}
		created, err = tx.PutEnvironment(wanted)
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusCreated, created.Revision, showEnvironment(c, created))
}

func (a *API) updateEnvironment(c *fiber.Ctx) error {
	var in environmentInput
	if err := decode(c, &in); err != nil {
		return err
	}
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	var updated schemas.Environment
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) (err error) {
		if _, err := environmentAt(tx.Snapshot(), c.Params("name"), revision); err != nil {
			return err
		}
		updated, err = in.change(tx, c.Params("name"))
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, updated.Revision, showEnvironment(c, updated))
}

// change renames the environment where another name is wanted, then sets the rest.
func (in environmentInput) change(tx *catalog.Tx, name string) (schemas.Environment, error) {
	isRenamed := in.Name != nil && *in.Name != name
	if isRenamed {
		if err := tx.RenameEnvironment(name, *in.Name); err != nil {
			return schemas.Environment{}, err
		}
		name = *in.Name
	}
	environment, _ := tx.Snapshot().Environment(name)
	if isRenamed && in.Description == nil && in.Workflows == nil {
		return environment, nil
	}
	in.apply(&environment)
	return tx.PutEnvironment(environment)
}

func (a *API) deleteEnvironment(c *fiber.Ctx) error {
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		if _, err := environmentAt(tx.Snapshot(), c.Params("name"), revision); err != nil {
			return err
		}
		return tx.DeleteEnvironment(c.Params("name"))
	})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *API) listEnvironments(c *fiber.Ctx) error {
	shown := []schemas.Environment{}
	for _, environment := range a.reader.Snapshot().Environments() {
		shown = append(shown, showEnvironment(c, environment))
	}
	return c.JSON(whole(shown))
}

func (a *API) getEnvironment(c *fiber.Ctx) error {
	found, err := environmentAt(a.reader.Snapshot(), c.Params("name"), 0)
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, found.Revision, showEnvironment(c, found))
}

// environmentAt finds an environment at a revision, 0 for any.
func environmentAt(snapshot *catalog.Snapshot, name string, revision int64) (schemas.Environment, error) {
	found, exists := snapshot.Environment(name)
	if !exists {
		return found, fmt.Errorf("environment %q: %w", name, catalog.ErrNotFound)
	}
	return found, catalog.CheckRevision(revision, found.Revision)
}

// masked stands where a token may not see what there is.
const masked = "***"

// showEnvironment hides the secret reference from who may only read.
func showEnvironment(c *fiber.Ctx, environment schemas.Environment) schemas.Environment {
	if environment.Workflows.APIKeyRef != "" && !may(c, scopeWrite) {
		environment.Workflows.APIKeyRef = masked
	}
	return environment
}
