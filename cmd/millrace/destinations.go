package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/dispatcher"
	"github.com/millrace/millrace/schemas"
)

// workflowAPIConfig says where runs are started in environments that have no workflow API of their own.
type workflowAPIConfig struct {
	URL    string `name:"url" help:"Base URL of the workflow API for environments that have none of their own in the catalog." placeholder:"URL"`
	KeyRef string `name:"key" help:"Where its API key is: env:NAME or file:PATH." placeholder:"REF"`
}

// secretLifetime is how long a resolved API key is used before its reference is read again.
const secretLifetime = 30 * time.Second

// destinations implements dispatcher.Destinations over the catalog. It keeps each secret it has resolved for a while;
// there are no more of them than environments.
type destinations struct {
	reader   *catalog.Reader
	fallback schemas.WorkflowAPI
	logger   *slog.Logger
	secrets  *secrets
}

type secrets struct {
	mu    sync.Mutex // guards byRef
	byRef map[string]secret
}

type secret struct {
	value string
	until time.Time
}

func newDestinations(reader *catalog.Reader, config workflowAPIConfig, logger *slog.Logger) destinations {
	return destinations{
		reader: reader, fallback: schemas.WorkflowAPI{BaseURL: config.URL, APIKeyRef: config.KeyRef}, logger: logger,
		secrets: &secrets{byRef: map[string]secret{}},
	}
}

// Destination returns the environment's own workflow API, or the one from the settings. One whose key cannot be
// resolved counts as not set: its runs wait.
func (d destinations) Destination(environment string) (dispatcher.Destination, bool) {
	known, found := d.reader.Snapshot().Environment(environment)
	if !found {
		return dispatcher.Destination{}, false
	}
	target := known.Workflows
	if target.BaseURL == "" {
		target = d.fallback
	}
	if target.APIKeyRef == "" {
		return dispatcher.Destination{BaseURL: target.BaseURL}, true
	}
	key, err := d.secrets.resolve(target.APIKeyRef)
	if err != nil {
		d.logger.Error("resolving the key of the workflow API", "environment", environment, "error", err)
		return dispatcher.Destination{}, true
	}
	return dispatcher.Destination{BaseURL: target.BaseURL, APIKey: key}, true
}

func (s *secrets) resolve(ref string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if known, found := s.byRef[ref]; found && now.Before(known.until) {
		return known.value, nil
	}
	value, err := catalog.ResolveSecret(ref)
	if err != nil {
		return "", err
	}
	s.byRef[ref] = secret{value, now.Add(secretLifetime)}
	return value, nil
}
