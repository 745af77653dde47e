package api

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// sourceInput is what can be set; an absent member stays as it is.
type sourceInput struct {
	Name        *string                  `json:"name"`
	Description *string                  `json:"description"`
	Disabled    *bool                    `json:"disabled"`
	Endpoints   map[string]endpointInput `json:"endpoints"` // by environment
}

type endpointInput struct {
	Disabled    *bool                       `json:"disabled"`
	DedupWindow *schemas.Window             `json:"dedup_window"`
	MaxBytes    *int                        `json:"max_bytes"`
	Signature   nullable[schemas.Signature] `json:"signature"` // null, or an empty scheme, takes it away
}

func (in sourceInput) apply(to *schemas.Source) {
	set(&to.Name, in.Name)
	set(&to.Description, in.Description)
	set(&to.Disabled, in.Disabled)
	if to.Endpoints == nil {
		to.Endpoints = map[string]schemas.Endpoint{}
	}
	for environment, settings := range in.Endpoints {
		e, exists := to.Endpoints[environment]
		if !exists {
			e.DedupWindow = schemas.DefaultWindow
		}
		settings.apply(&e)
		to.Endpoints[environment] = e
	}
}

func (in endpointInput) apply(to *schemas.Endpoint) {
	set(&to.Disabled, in.Disabled)
	set(&to.DedupWindow, in.DedupWindow)
	set(&to.MaxBytes, in.MaxBytes)
	if in.Signature.present {
		to.Signature = in.Signature.value
		if to.Signature != nil && to.Signature.Scheme == "" {
			to.Signature = nil
		}
	}
}

func (a *API) createSource(c *fiber.Ctx) error {
	var in sourceInput
	if err := decode(c, &in); err != nil {
		return err
	}
	var wanted schemas.Source
	in.apply(&wanted)
	created, err := a.writer.CreateSource(c.UserContext(), wanted)
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusCreated, created.Revision, a.show(c, created))
}

func (a *API) updateSource(c *fiber.Ctx) error {
	var in sourceInput
	if err := decode(c, &in); err != nil {
		return err
	}
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	updated, err := a.writer.UpdateSource(c.UserContext(), c.Params("id"), func(s *schemas.Source) error {
		if err := catalog.CheckRevision(revision, s.Revision); err != nil {
			return err
		}
		in.apply(s)
		return nil
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, updated.Revision, a.show(c, updated))
}

func (a *API) deleteSource(c *fiber.Ctx) error {
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		found, err := sourceAt(tx.Snapshot(), c.Params("id"), revision)
		if err != nil {
			return err
		}
		return tx.DeleteSource(found.ID)
	})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// grace is how long a key that is rotated out stays good.
type grace time.Duration

// The default of a grace period, and its longest.
const (
	defaultGrace = grace(24 * time.Hour)
	maxGrace     = grace(30 * 24 * time.Hour)
)

// UnmarshalText reads a Go duration.
func (g *grace) UnmarshalText(text []byte) error {
	duration, err := time.ParseDuration(string(text))
	if err != nil || duration < 0 || grace(duration) > maxGrace {
		return fmt.Errorf("%q is no grace period; give a duration from 0s, which ends the old key at once, to 720h", text)
	}
	*g = grace(duration)
	return nil
}

func (a *API) rotateKey(c *fiber.Ctx) error {
	in := struct {
		Grace grace `json:"grace"`
	}{defaultGrace}
	if err := decodeOptional(c, &in); err != nil {
		return err
	}
	revision, err := wantedRevision(c)
	if err != nil {
		return err
	}
	var rotated schemas.Source
	err = a.writer.Change(c.UserContext(), func(tx *catalog.Tx) error {
		found, err := sourceAt(tx.Snapshot(), c.Params("id"), revision)
		if err != nil {
			return err
		}
		rotated, err = tx.RotateKey(found.ID, c.Params("environment"), time.Duration(in.Grace))
		return err
	})
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, rotated.Revision, a.show(c, rotated))
}

func (a *API) listSources(c *fiber.Ctx) error {
	shown := []Source{}
	for _, s := range a.reader.Snapshot().Sources() {
		shown = append(shown, a.show(c, s))
	}
	return c.JSON(whole(shown))
}

func (a *API) getSource(c *fiber.Ctx) error {
	found, err := a.findSource(c.Params("id"))
	if err != nil {
		return err
	}
	return answer(c, fiber.StatusOK, found.Revision, a.show(c, found))
}

func (a *API) findSource(idOrName string) (schemas.Source, error) {
	return sourceAt(a.reader.Snapshot(), idOrName, 0)
}

// sourceAt finds a source by its ID or name at a revision, 0 for any.
func sourceAt(snapshot *catalog.Snapshot, idOrName string, revision int64) (schemas.Source, error) {
	found, exists := snapshot.Source(idOrName)
	if !exists {
		return found, fmt.Errorf("source %q: %w", idOrName, catalog.ErrNotFound)
	}
	return found, catalog.CheckRevision(revision, found.Revision)
}
