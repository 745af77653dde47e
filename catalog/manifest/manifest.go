// Package manifest is the catalog as code: files that say what environments, sources and triggers there shall be. It
// reads them strictly, compares them with a catalog (Compare), changes the catalog to what they say (Apply) and writes
// files from a catalog (Export, Encode). A document says everything about the thing it names: what it leaves out has
// its default. IDs, revisions and endpoint keys are never in a file.
package manifest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/millrace/millrace/schemas"
)

// The kinds of documents.
const (
	KindEnvironment = "environment"
	KindSource      = "source"
	KindTrigger     = "trigger"
)

// Manifest is what files say, in the order they say it. A document that names several environments has become one
// trigger for each.
type Manifest struct {
	Environments []Environment
	Sources      []Source
	Triggers     []Trigger
}

// Environment is a document of that kind.
type Environment struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	WorkflowAPI WorkflowAPI `json:"workflow_api,omitzero"`

	Origin Origin `json:"-"`
}

// WorkflowAPI says by whom, where, how fast and in which order an environment's runs are started, see
// schemas.WorkflowAPI. Here the default kind and order are empty.
type WorkflowAPI struct {
	Kind        schemas.WorkflowKind `json:"kind,omitempty"`
	BaseURL     string               `json:"base_url,omitempty"`
	APIKeyRef   string               `json:"api_key,omitempty"`
	Concurrency int                  `json:"concurrency,omitempty"`
	RateLimit   float64              `json:"rate_limit,omitempty"`
	Order       schemas.RunOrder     `json:"order,omitempty"`
}

// withoutDefaults empties what says the default.
func (w WorkflowAPI) withoutDefaults() WorkflowAPI {
	if w.Kind == schemas.WorkflowHTTP {
		w.Kind = ""
	}
	if w.Order == schemas.RelaxedOrder {
		w.Order = ""
	}
	return w
}

// Source is a document of that kind. An environment that is not among its endpoints has an endpoint with defaults.
type Source struct {
	Name        string              `json:"name"`
	Description string              `json:"description,omitempty"`
	Disabled    bool                `json:"disabled,omitempty"`
	Endpoints   map[string]Endpoint `json:"endpoints,omitempty"`

	Origin Origin `json:"-"`
	id     string // in the catalog it was exported from
}

// Endpoint holds the settings of a source's endpoint in one environment, see schemas.Endpoint.
type Endpoint struct {
	DedupWindow Window             `json:"dedup_window"`
	Disabled    bool               `json:"disabled,omitempty"`
	MaxBytes    int                `json:"max_bytes,omitempty"`
	Signature   *schemas.Signature `json:"signature,omitempty"`
}

// Trigger is a document of that kind for one environment. Its name identifies it there.
type Trigger struct {
	Name        string                `json:"name"`
	Environment string                `json:"environment"`
	Source      string                `json:"source"` // a name
	Description string                `json:"description,omitempty"`
	Event       string                `json:"event"`
	Workflow    string                `json:"workflow"`
	Condition   string                `json:"condition,omitempty"`
	Mapping     schemas.Mapping       `json:"mapping,omitzero"`
	Status      schemas.TriggerStatus `json:"status,omitempty"`

	Origin Origin `json:"-"`
	id     string // in the catalog it was exported from
}

// Window is a schemas.Window that is written without zeros: 24h, not 24h0m0s.
type Window schemas.Window

// MarshalText writes the window.
func (w Window) MarshalText() ([]byte, error) {
	text, err := schemas.Window(w).MarshalText()
	if err != nil {
		return nil, err
	}
	short := string(text)
	if time.Duration(w)%time.Minute == 0 {
		short = strings.TrimSuffix(short, "0s")
	}
	if time.Duration(w)%time.Hour == 0 {
		short = strings.TrimSuffix(short, "0m")
	}
	return []byte(short), nil
}

// UnmarshalText reads what MarshalText writes, and any other duration within the bounds.
func (w *Window) UnmarshalText(text []byte) error { return (*schemas.Window)(w).UnmarshalText(text) }

func defaultEndpoint() Endpoint { return Endpoint{DedupWindow: Window(schemas.DefaultWindow)} }

func (e Endpoint) isDefault() bool {
	return e.DedupWindow == Window(schemas.DefaultWindow) && !e.Disabled && e.MaxBytes == 0 && e.Signature == nil
}

// Compiled returns the trigger as the rules compile it.
func (t Trigger) Compiled() schemas.Trigger {
	return schemas.Trigger{Event: t.Event, Condition: t.Condition, Mapping: t.Mapping, Status: t.Status}
}

// Resources returns every resource as a JSON document, which is what the API's apply takes, and where each came from.
func (m Manifest) Resources() ([]json.RawMessage, []Origin, error) {
	var documents []json.RawMessage
	var origins []Origin
	add := func(kind string, resource any, origin Origin) error {
		document, err := document(kind, resource)
		documents, origins = append(documents, document), append(origins, origin)
		return err
	}
	for _, e := range m.Environments {
		if err := add(KindEnvironment, e, e.Origin); err != nil {
			return nil, nil, err
		}
	}
	for _, s := range m.Sources {
		if err := add(KindSource, s, s.Origin); err != nil {
			return nil, nil, err
		}
	}
	for _, t := range m.Triggers {
		if err := add(KindTrigger, t, t.Origin); err != nil {
			return nil, nil, err
		}
	}
	return documents, origins, nil
}

// document writes a resource with its kind in front.
func document(kind string, resource any) (json.RawMessage, error) {
	encoded, err := plainJSON(resource)
	if err != nil {
		return nil, err
	}
	return append([]byte(`{"kind":"`+kind+`",`), encoded[1:]...), nil
}
