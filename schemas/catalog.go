package schemas

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// CatalogEntry is one record of the catalog topic: exactly one of its pointers is set, or none of them to delete.
type CatalogEntry struct {
	Schema      int          `json:"schema"`
	Environment *Environment `json:"environment,omitempty"`
	Source      *Source      `json:"source,omitempty"`
	Trigger     *Trigger     `json:"trigger,omitempty"`
	Replay      *Replay      `json:"replay,omitempty"`
}

// Environment is a stage that events and triggers belong to, such as development or production. Its name is its
// identity.
type Environment struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Revision    int64       `json:"revision"` // 1 at creation, one more with each change
	CreatedAt   time.Time   `json:"created_at"`
	UpdatedAt   time.Time   `json:"updated_at"`
	Workflows   WorkflowAPI `json:"workflow_api"`
}

// WorkflowAPI says by whom, where, how fast and in which order an environment's runs are started.
type WorkflowAPI struct {
	Kind        WorkflowKind `json:"kind"`        // "" is WorkflowHTTP
	BaseURL     string       `json:"base_url"`    // such as https://api.knock.app; "" leaves it to the dispatcher's settings
	APIKeyRef   string       `json:"api_key"`     // a secret reference, env:NAME or file:PATH; "" sends none
	Concurrency int          `json:"concurrency"` // requests at a time; 0 leaves it to the dispatcher's settings
	RateLimit   float64      `json:"rate_limit"`  // requests a second; 0 is unlimited
	Order       RunOrder     `json:"order"`       // "" is RelaxedOrder
}

// WithDefaults returns it with kind and order spelled out, which records of before there were any have not.
func (w WorkflowAPI) WithDefaults() WorkflowAPI {
	w.Kind, w.Order = cmp.Or(w.Kind, WorkflowHTTP), cmp.Or(w.Order, RelaxedOrder)
	return w
}

// WorkflowKind says who starts the runs of an environment.
type WorkflowKind string

// The kinds of workflow APIs.
const (
	WorkflowHTTP WorkflowKind = "http" // the dispatcher, with calls to an API that takes what Knock's takes
	WorkflowNone WorkflowKind = "none" // others, who consume the runs topic; the dispatcher calls nobody
)

// RunOrder says what becomes of the order of a person's runs when one of them has to wait for long.
type RunOrder string

// The orders of runs.
const (
	RelaxedOrder RunOrder = "relaxed" // the others go on, and the one that waits comes when it can
	StrictOrder  RunOrder = "strict"  // the others wait for it, in memory, and may hold up who shares their partition
)

// Source is a sender of events. It has one endpoint per environment, by the environment's name.
type Source struct {
	ID          string              `json:"id"` // "src_..."
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Disabled    bool                `json:"disabled,omitempty"` // all its endpoints are
	Revision    int64               `json:"revision"`           // 1 at creation, one more with each change
	CreatedAt   time.Time           `json:"created_at"`
	UpdatedAt   time.Time           `json:"updated_at"`
	Endpoints   map[string]Endpoint `json:"endpoints"`
}

// Endpoint is where a source's events for one environment are posted. Whoever knows its key can post.
type Endpoint struct {
	Key         string        `json:"key,omitempty"`      // sealed where the catalog has a key of its own, see catalog.Keys
	KeyHash     string        `json:"key_hash,omitempty"` // hexadecimal SHA-256 of the key, by which ingest finds the endpoint
	Previous    []PreviousKey `json:"previous_keys,omitempty"`
	Disabled    bool          `json:"disabled,omitempty"`
	DedupWindow Window        `json:"dedup_window"`
	MaxBytes    int           `json:"max_bytes,omitempty"` // of an event; 0 leaves it to ingest's setting, which it cannot exceed
	Signature   *Signature    `json:"signature,omitempty"`
}

// PreviousKey is a key that was rotated out and is good for a while yet.
type PreviousKey struct {
	KeyHash string    `json:"key_hash,omitempty"`
	Until   time.Time `json:"until"`
}

// Window is a dedup window. Zero means that dedup is off.
type Window time.Duration

// The bounds of a dedup window, and its default.
const (
	MinWindow     = Window(time.Minute)
	MaxWindow     = Window(7 * 24 * time.Hour)
	DefaultWindow = Window(24 * time.Hour)
)

// SignatureScheme names a way to sign the body of an event.
type SignatureScheme string

// The signature schemes.
const (
	StandardWebhooks SignatureScheme = "standard_webhooks" // webhook-id, webhook-timestamp, webhook-signature
	SegmentSignature SignatureScheme = "segment"           // x-signature, hex HMAC-SHA1 of the body
)

// Signature says that events must be signed, how, and with which secret.
type Signature struct {
	Scheme    SignatureScheme `json:"scheme"`
	SecretRef string          `json:"secret"` // a secret reference, env:NAME or file:PATH
}

// MarshalText writes the window as a Go duration such as 24h0m0s, or as "off".
func (w Window) MarshalText() ([]byte, error) {
	if w == 0 {
		return []byte("off"), nil
	}
	return []byte(time.Duration(w).String()), nil
}

// UnmarshalText reads "off" or a Go duration between MinWindow and MaxWindow.
func (w *Window) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*w = 0
		return nil
	}
	duration, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("dedup window %q: give a duration such as 24h, or off", text)
	}
	if Window(duration) < MinWindow || Window(duration) > MaxWindow {
		return fmt.Errorf("dedup window %q: must lie between 1m and 168h, or be off", text)
	}
	*w = Window(duration)
	return nil
}

// TriggerStatus says whether a trigger creates runs.
type TriggerStatus string

// The statuses of a trigger.
const (
	TriggerActive   TriggerStatus = "active"
	TriggerInactive TriggerStatus = "inactive"
)

// AnyEvent is the event name of a trigger that is bound to every event of its source.
const AnyEvent = "*"

// Trigger binds the events of one name, source and environment to a workflow.
type Trigger struct {
	ID          string        `json:"id"` // "trg_..."
	Environment string        `json:"environment"`
	SourceID    string        `json:"source_id"`
	Name        string        `json:"name,omitempty"` // unique in its environment; what files call it
	Description string        `json:"description,omitempty"`
	Event       string        `json:"event"`     // a name, or AnyEvent
	Workflow    string        `json:"workflow"`  // the workflow's key at the workflow API
	Condition   string        `json:"condition"` // an expr-lang boolean; "" is always true
	Mapping     Mapping       `json:"mapping"`
	Status      TriggerStatus `json:"status"`
	Revision    int64         `json:"revision"` // 1 at creation, one more with each change
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
}

// Mapping says how an event's members become the workflow's inputs. Each member is a path in dot notation (a JSON
// string), a computed value {"expr": "..."} or a literal {"value": ...}; an absent one takes its default.
type Mapping struct {
	Recipients      json.RawMessage            `json:"recipients,omitempty"` // default: user_id
	Actor           json.RawMessage            `json:"actor,omitempty"`
	Tenant          json.RawMessage            `json:"tenant,omitempty"`
	CancellationKey json.RawMessage            `json:"cancellation_key,omitempty"`
	Data            map[string]json.RawMessage `json:"data,omitempty"` // default: all properties
}
