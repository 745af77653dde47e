package schemas

import "time"

// RejectionBodyLimit is how many bytes of a refused body the event log keeps.
const RejectionBodyLimit = 4 << 10

// Rejection is the record of a request that ingest refused.
type Rejection struct {
	Schema      int       `json:"schema"`
	ID          string    `json:"id"` // UUIDv7
	RejectedAt  time.Time `json:"rejected_at"`
	SourceID    string    `json:"source_id,omitempty"` // where the endpoint is known
	Environment string    `json:"environment,omitempty"`
	StatusCode  int       `json:"status_code"`
	Code        string    `json:"code"`
	Message     string    `json:"message"`
	Field       string    `json:"field,omitempty"`
	Body        []byte    `json:"body"` // the first RejectionBodyLimit bytes, base64 because they may be anything
}
