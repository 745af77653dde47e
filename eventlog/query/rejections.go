package query

import "time"

// RejectionItem is a request that was refused and logged.
type RejectionItem struct {
	ID          string    `json:"id"`
	SourceID    string    `json:"source_id"`   // "" where the endpoint is not known
	Environment string    `json:"environment"` // "" where the endpoint is not known
	RejectedAt  time.Time `json:"rejected_at"`
	StatusCode  int       `json:"status_code"`
	Code        string    `json:"code"` // of the answer, such as invalid_json
	Message     string    `json:"message"`
	Field       string    `json:"field"`
	Body        string    `json:"body"` // first 4 KiB of what was posted
}
