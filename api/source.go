package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/schemas"
)

// Source is a source as the API shows it.
type Source struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Disabled    bool                `json:"disabled"`
	Revision    int64               `json:"revision"`
	CreatedAt   time.Time           `json:"created_at"`
	UpdatedAt   time.Time           `json:"updated_at"`
	Endpoints   map[string]Endpoint `json:"endpoints"`
}

// Endpoint is a source's endpoint in one environment as the API shows it. Who may only read sees neither its key, nor
// the URL that has the key in it, nor where the secret of its signature is.
type Endpoint struct {
	Key          string             `json:"key"`
	URL          string             `json:"url"`
	Disabled     bool               `json:"disabled"`
	DedupWindow  schemas.Window     `json:"dedup_window"`
	MaxBytes     int                `json:"max_bytes"`
	Signature    *schemas.Signature `json:"signature"`
	PreviousKeys []PreviousKey      `json:"previous_keys"`
}

// PreviousKey is a key that was rotated out and is good until then.
type PreviousKey struct {
	Until time.Time `json:"until"`
}

func (a *API) show(c *fiber.Ctx, s schemas.Source) Source {
	shown := Source{
		ID: s.ID, Name: s.Name, Description: s.Description, Disabled: s.Disabled, Revision: s.Revision, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		Endpoints: map[string]Endpoint{},
	}
	for environment, e := range s.Endpoints {
		shown.Endpoints[environment] = a.showEndpoint(c, s, e)
	}
	return shown
}

func (a *API) showEndpoint(c *fiber.Ctx, s schemas.Source, e schemas.Endpoint) Endpoint {
	shown := Endpoint{
		Key: masked, URL: EndpointURL(a.config.IngestURL, masked),
		Disabled: e.Disabled, DedupWindow: e.DedupWindow, MaxBytes: e.MaxBytes, Signature: e.Signature, PreviousKeys: []PreviousKey{},
	}
	for _, previous := range e.Previous {
		if previous.Until.After(time.Now()) {
			shown.PreviousKeys = append(shown.PreviousKeys, PreviousKey{previous.Until})
		}
	}
	if !may(c, scopeWrite) {
		if e.Signature != nil {
			shown.Signature = &schemas.Signature{Scheme: e.Signature.Scheme, SecretRef: masked}
		}
		return shown
	}
	key, err := a.keys.Open(e.Key)
	if err != nil {
		// The rest of the source is of use all the same.
		a.logger.Error("opening an endpoint key", "source", s.ID, "error", err)
		shown.Key, shown.URL = "", ""
		return shown
	}
	shown.Key, shown.URL = key, EndpointURL(a.config.IngestURL, key)
	return shown
}

// EndpointURL returns where events are posted for an endpoint key.
func EndpointURL(ingestURL, key string) string { return ingestURL + "/v1/receive/" + key }
