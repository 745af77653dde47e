package console

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/api"
)

// firstSteps is what to do while there is no event.
type firstSteps struct {
	Source      string // name; "" where there is none
	SourceID    string
	Environment string
	Curl        string // "" where the visitor may not see the endpoint
}

// stepsFor chooses an endpoint to begin with: of the first source that is on, in the environment named first.
func stepsFor(sources []api.Source) *firstSteps {
	for _, source := range sources {
		for _, environment := range sortedKeys(source.Endpoints) {
			endpoint := source.Endpoints[environment]
			if source.Disabled || endpoint.Disabled || endpoint.Signature != nil {
				continue
			}
			return &firstSteps{source.Name, source.ID, environment, curlFor(endpoint)}
		}
	}
	return &firstSteps{}
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// sampleEvent is what the curl line posts. Its message ID makes a second try a duplicate.
const sampleEvent = `{"type":"track","event":"Order Completed","userId":"ada","messageId":"order-1",` +
	`"properties":{"order_id":"order-1","total":42.5,"currency":"EUR"}}`

// curlFor is a line for a shell that posts an event, or "" where the endpoint's URL is hidden from the visitor.
func curlFor(endpoint api.Endpoint) string {
	if !isShown(endpoint) {
		return ""
	}
	return "curl -i " + quoted(endpoint.URL) + " -H 'Content-Type: application/json' -d '" + sampleEvent + "'"
}

// isShown tells whether the visitor sees the URL: the API masks it with asterisks or leaves it out.
func isShown(endpoint api.Endpoint) bool {
	return endpoint.URL != "" && !strings.Contains(endpoint.Key, "*")
}

// quoted is the text as a shell takes it.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
