package catalog

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"github.com/millrace/millrace/schemas"
)

// audit returns the record of each thing that the change changes, by record key. What was put and removed again in the
// same change has none.
func (tx *Tx) audit() (map[string]schemas.AuditEntry, error) {
	moved := map[string]bool{}
	for _, from := range tx.renamed {
		moved[from] = true
	}
	entries := map[string]schemas.AuditEntry{}
	for _, key := range tx.changed {
		beforeKey := key
		if from, isRenamed := tx.renamed[key]; isRenamed {
			beforeKey = from
		}
		before, existed := tx.base.entry(beforeKey)
		after, exists := tx.view.entry(key)
		if !exists && (!existed || moved[key]) {
			continue
		}
		entry, err := tx.auditOf(before, after)
		if err != nil {
			return nil, fmt.Errorf("recording the change of %s: %w", key, err)
		}
		entries[key] = entry
	}
	return entries, nil
}

func (tx *Tx) auditOf(before, after schemas.CatalogEntry) (schemas.AuditEntry, error) {
	entry := schemas.AuditEntry{
		Schema: schemas.Version, ID: uuid.Must(uuid.NewV7()).String(), ChangeID: tx.id, At: tx.at, Actor: tx.actor, Action: schemas.Updated,
	}
	last := after
	switch {
	case entryKey(before) == "":
		entry.Action = schemas.Created
	case entryKey(after) == "":
		entry.Action, last = schemas.Deleted, before
	}
	switch {
	case last.Environment != nil:
		name := last.Environment.Name
		entry.Kind, entry.ResourceID, entry.Name, entry.Revision = environmentKind, name, name, last.Environment.Revision
	case last.Source != nil:
		entry.Kind, entry.ResourceID, entry.Name, entry.Revision = sourceKind, last.Source.ID, last.Source.Name, last.Source.Revision
	case last.Trigger != nil:
		entry.Kind, entry.ResourceID, entry.Name, entry.Revision = triggerKind, last.Trigger.ID, last.Trigger.Name, last.Trigger.Revision
	case last.Replay != nil:
		entry.Kind, entry.ResourceID, entry.Revision = replayKind, last.Replay.ID, last.Replay.Revision
	}
	var err error
	if entry.Before, err = auditable(before); err != nil {
		return entry, err
	}
	entry.After, err = auditable(after)
	return entry, err
}

// auditable returns a thing as JSON, without endpoint keys and their hashes.
func auditable(entry schemas.CatalogEntry) (json.RawMessage, error) {
	switch {
	case entry.Environment != nil:
		return json.Marshal(entry.Environment)
	case entry.Source != nil:
		source := *entry.Source
		source.Endpoints = maps.Clone(source.Endpoints)
		for environment, endpoint := range source.Endpoints {
			source.Endpoints[environment] = withoutKeys(endpoint)
		}
		return json.Marshal(source)
	case entry.Trigger != nil:
		return json.Marshal(entry.Trigger)
	case entry.Replay != nil:
		return json.Marshal(entry.Replay)
	}
	return nil, nil
}

func withoutKeys(endpoint schemas.Endpoint) schemas.Endpoint {
	endpoint.Key, endpoint.KeyHash = "", ""
	previous := endpoint.Previous
	endpoint.Previous = nil
	for _, key := range previous {
		endpoint.Previous = append(endpoint.Previous, schemas.PreviousKey{Until: key.Until})
	}
	return endpoint
}
