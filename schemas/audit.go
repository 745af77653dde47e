package schemas

import (
	"encoding/json"
	"time"
)

// Action is what a change did to a thing of the catalog.
type Action string

// The actions.
const (
	Created Action = "created"
	Updated Action = "updated"
	Deleted Action = "deleted"
)

// AuditEntry is the record of one change of one thing of the catalog. The changes of one request share ChangeID.
// Endpoint keys are not in it.
type AuditEntry struct {
	Schema     int             `json:"schema"`
	ID         string          `json:"id"`        // UUIDv7
	ChangeID   string          `json:"change_id"` // UUIDv7
	At         time.Time       `json:"at"`
	Actor      string          `json:"actor"` // the name of the token, "loopback" without one, "system" for Millrace itself
	Action     Action          `json:"action"`
	Kind       string          `json:"kind"` // environment, source, trigger or replay
	ResourceID string          `json:"resource_id"`
	Name       string          `json:"name"`     // at the time of the change
	Revision   int64           `json:"revision"` // after the change; of a deletion, the last one
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
}
