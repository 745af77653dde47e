package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/millrace/millrace/catalog/manifest"
)

// RefusedError is an answer that says no. Problems has each thing that is wrong where there are several.
type RefusedError struct {
	Status   int               `json:"-"`
	Code     string            `json:"code"`
	Message  string            `json:"message"`
	Field    string            `json:"field"`
	Problems manifest.Problems `json:"problems"`
}

// Error writes each thing that is wrong, and what can be done about it.
func (e *RefusedError) Error() string {
	lines := []string{e.Message}
	if len(e.Problems) > 1 || e.ofResources() {
		lines = nil
		for _, problem := range e.Problems {
			lines = append(lines, problem.Error())
		}
	}
	if remedy := e.remedy(); remedy != "" {
		lines = append(lines, remedy)
	}
	return strings.Join(lines, "\n")
}

func (e *RefusedError) ofResources() bool { return e.Code == "invalid_resources" }

// Locate tells the problems where in the files their resources came from.
func (e *RefusedError) Locate(origins []manifest.Origin) {
	if !e.ofResources() {
		return
	}
	for i, problem := range e.Problems {
		if problem.Resource < len(origins) {
			e.Problems[i].At = origins[problem.Resource].At(problem.Field)
		}
	}
}

func (e *RefusedError) remedy() string {
	switch e.Status {
	case http.StatusUnauthorized:
		return "Give a token: in the variable MILLRACE_API_TOKEN, or by reference with --api-token=env:NAME or --api-token=file:PATH"
	case http.StatusForbidden:
		return "Give another token with --api-token or MILLRACE_API_TOKEN"
	case http.StatusPreconditionFailed:
		return "Somebody else was faster. Look at what it is now, and try again"
	}
	return ""
}

func (c *Client) refused(response *http.Response, body []byte) error {
	var answer struct {
		Error RefusedError `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Message == "" {
		return c.foreign(response.Status)
	}
	refused := answer.Error
	refused.Status = response.StatusCode
	if response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s answered %s: %w", c.base, response.Status, &refused)
	}
	return &refused
}
