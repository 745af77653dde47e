package api

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// Source is a source as the API shows it.
type Source struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Revision    int64               `json:"revision"`
	CreatedAt   time.Time           `json:"created_at"`
	Endpoints   map[string]Endpoint `json:"endpoints"`
}

// Endpoint is a source's endpoint in one environment as the API shows it.
type Endpoint struct {
	Key         string             `json:"key"`
	URL         string             `json:"url"`
	Disabled    bool               `json:"disabled"`
	DedupWindow schemas.Window     `json:"dedup_window"`
	Signature   *schemas.Signature `json:"signature,omitempty"`
}

// sourceInput is what can be set; an absent member stays as it is.
type sourceInput struct {
	Name        *string                  `json:"name"`
	Description *string                  `json:"description"`
	Endpoints   map[string]endpointInput `json:"endpoints"` // by environment
}

type endpointInput struct {
	Disabled    *bool              `json:"disabled"`
	DedupWindow *schemas.Window    `json:"dedup_window"`
	Signature   *schemas.Signature `json:"signature"` // an empty scheme takes it away
}

func (in sourceInput) apply(to *schemas.Source) {
	if in.Name != nil {
		to.Name = *in.Name
	}
	if in.Description != nil {
		to.Description = *in.Description
	}
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
	if in.Disabled != nil {
		to.Disabled = *in.Disabled
	}
	if in.DedupWindow != nil {
		to.DedupWindow = *in.DedupWindow
	}
	if in.Signature != nil {
		to.Signature = in.Signature
		if in.Signature.Scheme == "" {
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
	return c.Status(fiber.StatusCreated).JSON(a.show(created))
}

func (a *API) updateSource(c *fiber.Ctx) error {
	var in sourceInput
	if err := decode(c, &in); err != nil {
		return err
	}
	updated, err := a.writer.UpdateSource(c.UserContext(), c.Params("id"), func(s *schemas.Source) error {
		in.apply(s)
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(a.show(updated))
}

func (a *API) listSources(c *fiber.Ctx) error {
	shown := []Source{}
	for _, s := range a.reader.Snapshot().Sources() {
		shown = append(shown, a.show(s))
	}
	return c.JSON(whole(shown))
}

func (a *API) getSource(c *fiber.Ctx) error {
	found, err := a.findSource(c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(a.show(found))
}

func (a *API) findSource(idOrName string) (schemas.Source, error) {
	found, exists := a.reader.Snapshot().Source(idOrName)
	if !exists {
		return found, fmt.Errorf("source %q: %w", idOrName, catalog.ErrNotFound)
	}
	return found, nil
}

func (a *API) show(s schemas.Source) Source {
	shown := Source{
		ID: s.ID, Name: s.Name, Description: s.Description, Revision: s.Revision, CreatedAt: s.CreatedAt,
		Endpoints: map[string]Endpoint{},
	}
	for environment, e := range s.Endpoints {
		shown.Endpoints[environment] = Endpoint{
			Key: e.Key, URL: EndpointURL(a.config.IngestURL, e.Key),
			Disabled: e.Disabled, DedupWindow: e.DedupWindow, Signature: e.Signature,
		}
	}
	return shown
}

// EndpointURL returns where events are posted for an endpoint key.
func EndpointURL(ingestURL, key string) string { return ingestURL + "/v1/receive/" + key }
