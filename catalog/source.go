package catalog

import (
	"fmt"
	"maps"

	"github.com/millrace/millrace/schemas"
)

// PutSource saves a source: a new one where it has no ID, which completes it with an ID and an endpoint for each
// environment, or else the next revision of the one with this ID. An endpoint that is new gets a key; one that exists
// keeps its keys, whatever is given here, see RotateKey. What is returned holds keys as they are stored, see Keys.
func (tx *Tx) PutSource(source schemas.Source) (schemas.Source, error) {
	source.Endpoints = maps.Clone(source.Endpoints)
	var before schemas.Source
	if source.ID == "" {
		if tx.view.sources.size >= maxSources {
			return source, full("sources", maxSources)
		}
		source.ID, source.CreatedAt = newID(sourceIDPrefix), tx.at
		tx.completeEndpoints(&source)
	} else {
		known, exists := tx.view.sources.get(source.ID)
		if !exists {
			return source, fmt.Errorf("source %q: %w", source.ID, ErrNotFound)
		}
		before = *known
		source.CreatedAt = before.CreatedAt
	}
	source.Revision, source.UpdatedAt = before.Revision+1, tx.at
	if err := checkSource(tx.view, source); err != nil {
		return source, err
	}
	for environment, endpoint := range source.Endpoints {
		known, exists := before.Endpoints[environment]
		if !exists {
			key := newKey()
			known.Key, known.KeyHash = key, HashKey(key)
		}
		endpoint.Key, endpoint.KeyHash = tx.keys.seal(known.Key), known.KeyHash
		endpoint.Previous = stillGood(known.Previous, tx.at)
		source.Endpoints[environment] = endpoint
	}
	return source, tx.put(schemas.CatalogEntry{Source: &source})
}

// completeEndpoints gives a source an endpoint in every environment.
func (tx *Tx) completeEndpoints(source *schemas.Source) {
	if source.Endpoints == nil {
		source.Endpoints = map[string]schemas.Endpoint{}
	}
	for name := range tx.view.environments.all() {
		if _, given := source.Endpoints[name]; !given {
			source.Endpoints[name] = schemas.Endpoint{DedupWindow: schemas.DefaultWindow}
		}
	}
}

// DeleteSource removes a source, given by ID or name, and its endpoints. One that triggers are bound to is an
// *InUseError.
func (tx *Tx) DeleteSource(idOrName string) error {
	before, exists := tx.view.Source(idOrName)
	if !exists {
		return fmt.Errorf("source %q: %w", idOrName, ErrNotFound)
	}
	if err := tx.seesAll("deleting source " + before.Name); err != nil {
		return err
	}
	if tx.view.uses.has(sourceKey(before.ID)) {
		id := tx.userOf(func(t *schemas.Trigger) bool { return t.SourceID == before.ID })
		return &InUseError{fmt.Sprintf("source %q has triggers, such as %s; delete them first", before.Name, id)}
	}
	if err := tx.noReplay("deleting source "+before.Name, func(r *schemas.Replay) bool { return r.SourceID == before.ID }); err != nil {
		return err
	}
	return tx.remove(sourceKey(before.ID))
}
