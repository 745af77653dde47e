package schemas

import (
	_ "embed"
	"slices"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 document of the management and query API.
func OpenAPI() []byte { return slices.Clone(openAPI) }
