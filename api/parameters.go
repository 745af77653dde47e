package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/eventlog/query"
)

// parameters are the names that a query string may have, by route. They come from the OpenAPI document, so that what it
// does not describe is refused: a filter with a typo would otherwise show everything.
type parameters map[string][]string

// readParameters reads them from a document.
func readParameters(document []byte) (parameters, error) {
	type parameter struct {
		Ref  string `json:"$ref"`
		Name string `json:"name"`
		In   string `json:"in"`
	}
	var parsed struct {
		Paths map[string]map[string]struct {
			Parameters []parameter `json:"parameters"`
		} `json:"paths"`
		Components struct {
			Parameters map[string]parameter `json:"parameters"`
		} `json:"components"`
	}
	if err := json.Unmarshal(document, &parsed); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	known := parameters{}
	for path, operations := range parsed.Paths {
		for method, operation := range operations {
			names := []string{}
			for _, p := range operation.Parameters {
				if p.Ref != "" {
					p = parsed.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
				}
				if p.In == "query" {
					names = append(names, p.Name)
				}
			}
			slices.Sort(names)
			known[strings.ToUpper(method)+" "+regexp.MustCompile(`{(\w+)}`).ReplaceAllString(path, ":$1")] = names
		}
	}
	return known, nil
}

// check refuses a query string with names that the route does not have.
func (p parameters) check(c *fiber.Ctx) error {
	method := c.Method()
	if method == fiber.MethodHead {
		method = fiber.MethodGet
	}
	known, isDescribed := p[method+" "+c.Route().Path]
	for name := range c.Queries() {
		if isDescribed && !slices.Contains(known, name) {
			return &query.FilterError{Field: name, Message: "nobody knows this parameter" + suggestion(name, known)}
		}
	}
	return nil
}
