package main

import (
	"log/slog"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/secretref"
)

// workflowAPIConfig says where runs are started in environments that have no workflow API of their own.
type workflowAPIConfig struct {
	URL    string `name:"url" help:"Base URL of the workflow API for environments that have none of their own in the catalog." placeholder:"URL"`
	KeyRef string `name:"key" help:"Where its API key is: env:NAME or file:PATH." placeholder:"REF"`
}

// destinations implements dispatcher.Destinations over the catalog.
type destinations struct {
	reader   *catalog.Reader
	fallback schemas.WorkflowAPI
	logger   *slog.Logger
	secrets  *secretref.Cache
}

func newDestinations(reader *catalog.Reader, config workflowAPIConfig, logger *slog.Logger) destinations {
	return destinations{
		reader: reader, fallback: schemas.WorkflowAPI{BaseURL: config.URL, APIKeyRef: config.KeyRef}, logger: logger,
		secrets: &secretref.Cache{},
	}
}

// Destination returns the environment's own workflow API, or the one from the settings, at the environment's pace. One
// whose key cannot be resolved counts as not set, and one that a newer version has changed as unknown: their runs wait.
func (d destinations) Destination(environment string) (dispatcher.Destination, bool) {
	snapshot := d.reader.Snapshot()
	known, found := snapshot.Environment(environment)
	if !found || snapshot.IsForeignEnvironment(environment) {
		return dispatcher.Destination{}, false
	}
	target := known.Workflows
	if target.Kind == schemas.WorkflowNone {
		return dispatcher.Destination{Kind: dispatcher.KafkaOnly}, true
	}
	to := dispatcher.Destination{Concurrency: target.Concurrency, RateLimit: target.RateLimit}
	if target.Order == schemas.StrictOrder {
		to.Order = dispatcher.Strict
	}
	if target.Kind != schemas.WorkflowHTTP {
		d.logger.Error("the workflow API is of a kind that a newer Millrace may know; its runs wait", "environment", environment, "kind", target.Kind)
		return to, true
	}
	if target.BaseURL == "" {
		target = d.fallback
	}
	if target.APIKeyRef != "" {
		key, err := d.secrets.Resolve(target.APIKeyRef)
		if err != nil {
			d.logger.Error("resolving the key of the workflow API", "environment", environment, "error", err)
			return to, true
		}
		to.APIKey = key
	}
	to.BaseURL = target.BaseURL
	return to, true
}
