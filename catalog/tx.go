package catalog

import (
	"fmt"
	"maps"

	"github.com/millrace/millrace/schemas"
)

// Tx is a change that is being put together: it reads as if what was put were saved already. Nobody else sees any of it
// before all of it is written, and if anything in it is wrong, none of it is. A Tx is for one goroutine.
type Tx struct {
	writer  *Writer
	base    *Snapshot
	entries map[string]schemas.CatalogEntry // base with the changes
	changed []string                        // keys, in the order of their first change
	view    *Snapshot                       // of entries, nil after a change
}

func newTx(w *Writer, base *Snapshot) *Tx {
	return &Tx{writer: w, base: base, entries: maps.Clone(base.entries)}
}

// Snapshot returns the catalog as it would be. It does not follow later changes.
func (tx *Tx) Snapshot() *Snapshot {
	if tx.view == nil {
		tx.view = newSnapshot(maps.Clone(tx.entries))
	}
	return tx.view
}

func (tx *Tx) put(entry schemas.CatalogEntry) {
	key := entryKey(entry)
	tx.touch(key)
	entry.Schema = schemas.Version
	tx.entries[key] = entry
}

func (tx *Tx) remove(key string) {
	tx.touch(key)
	delete(tx.entries, key)
}

func (tx *Tx) touch(key string) {
	tx.view = nil
	for _, known := range tx.changed {
		if known == key {
			return
		}
	}
	tx.changed = append(tx.changed, key)
}

// PutEnvironment saves an environment under its name: a new one with revision 1, an existing one with its next.
func (tx *Tx) PutEnvironment(environment schemas.Environment) (schemas.Environment, error) {
	now := tx.writer.time()
	environment.Revision, environment.CreatedAt, environment.UpdatedAt = 1, now, now
	if before, exists := tx.Snapshot().Environment(environment.Name); exists {
		environment.Revision, environment.CreatedAt = before.Revision+1, before.CreatedAt
	}
	if err := checkEnvironment(environment); err != nil {
		return environment, err
	}
	tx.put(schemas.CatalogEntry{Environment: &environment})
	return environment, nil
}

// DeleteEnvironment removes an environment that no trigger is in and that no source has an enabled endpoint in; the
// disabled endpoints go with it. Otherwise it is an *InUseError.
func (tx *Tx) DeleteEnvironment(name string) error {
	before, exists := tx.Snapshot().Environment(name)
	if !exists {
		return fmt.Errorf("environment %q: %w", name, ErrNotFound)
	}
	if err := tx.emptyEnvironment(before.Name); err != nil {
		return err
	}
	tx.remove(environmentKey(name))
	return nil
}

// PutSource saves a source: a new one where it has no ID, which completes it with an ID and an endpoint with a key for
// each environment, or else the next revision of the one with this ID.
func (tx *Tx) PutSource(source schemas.Source) (schemas.Source, error) {
	source.Endpoints = maps.Clone(source.Endpoints)
	now := tx.writer.time()
	source.Revision, source.UpdatedAt = 1, now
	if source.ID == "" {
		source.ID, source.CreatedAt = newID(sourceIDPrefix), now
		tx.completeEndpoints(&source)
	} else {
		before, exists := tx.Snapshot().Source(source.ID)
		if !exists || before.ID != source.ID {
			return source, fmt.Errorf("source %q: %w", source.ID, ErrNotFound)
		}
		source.Revision, source.CreatedAt = before.Revision+1, before.CreatedAt
	}
	for environment, endpoint := range source.Endpoints {
		if endpoint.Key == "" {
			source.Endpoints[environment] = tx.writer.withNewKey(endpoint)
		}
	}
	if err := checkSource(tx.Snapshot(), source); err != nil {
		return source, err
	}
	tx.put(schemas.CatalogEntry{Source: &source})
	return source, nil
}

// DeleteSource removes a source and its endpoints. One that triggers are bound to is an *InUseError.
func (tx *Tx) DeleteSource(id string) error {
	before, exists := tx.Snapshot().Source(id)
	if !exists {
		return fmt.Errorf("source %q: %w", id, ErrNotFound)
	}
	for _, trigger := range tx.Snapshot().Triggers() {
		if trigger.SourceID == before.ID {
			return &InUseError{fmt.Sprintf("source %q has triggers, such as %s; delete them first", before.Name, trigger.ID)}
		}
	}
	tx.remove(sourceKey(before.ID))
	return nil
}

// PutTrigger saves a trigger: a new one where it has no ID, active unless it says otherwise, or else the next revision
// of the one with this ID. The source may be given by name. Condition and mapping must have been compiled before.
func (tx *Tx) PutTrigger(trigger schemas.Trigger) (schemas.Trigger, error) {
	now := tx.writer.time()
	trigger.Revision, trigger.UpdatedAt = 1, now
	if trigger.ID == "" {
		trigger.ID, trigger.CreatedAt = newID(triggerIDPrefix), now
	} else {
		before, exists := tx.Snapshot().Trigger(trigger.ID)
		if !exists {
			return trigger, fmt.Errorf("trigger %q: %w", trigger.ID, ErrNotFound)
		}
		trigger.Revision, trigger.CreatedAt = before.Revision+1, before.CreatedAt
	}
	if trigger.Status == "" {
		trigger.Status = schemas.TriggerActive
	}
	if source, found := tx.Snapshot().Source(trigger.SourceID); found {
		trigger.SourceID = source.ID
	}
	if err := checkTrigger(tx.Snapshot(), trigger); err != nil {
		return trigger, err
	}
	tx.put(schemas.CatalogEntry{Trigger: &trigger})
	return trigger, nil
}

// DeleteTrigger removes a trigger. What it started stays in the log.
func (tx *Tx) DeleteTrigger(id string) error {
	if _, exists := tx.Snapshot().Trigger(id); !exists {
		return fmt.Errorf("trigger %q: %w", id, ErrNotFound)
	}
	tx.remove(triggerKey(id))
	return nil
}

// completeEndpoints gives a new source an endpoint in every environment.
func (tx *Tx) completeEndpoints(source *schemas.Source) {
	if source.Endpoints == nil {
		source.Endpoints = map[string]schemas.Endpoint{}
	}
	for _, environment := range tx.Snapshot().Environments() {
		if _, given := source.Endpoints[environment.Name]; !given {
			source.Endpoints[environment.Name] = schemas.Endpoint{DedupWindow: schemas.DefaultWindow}
		}
	}
}

func (tx *Tx) emptyEnvironment(name string) error {
	for _, trigger := range tx.Snapshot().Triggers() {
		if trigger.Environment == name {
			return &InUseError{fmt.Sprintf("environment %q has triggers, such as %s; delete them first", name, trigger.ID)}
		}
	}
	for _, source := range tx.Snapshot().Sources() {
		endpoint, exists := source.Endpoints[name]
		if !exists {
			continue
		}
		if !endpoint.Disabled {
			return &InUseError{fmt.Sprintf("environment %q has an enabled endpoint of source %q; disable it first", name, source.Name)}
		}
		source.Endpoints = maps.Clone(source.Endpoints)
		delete(source.Endpoints, name)
		if _, err := tx.PutSource(source); err != nil {
			return err
		}
	}
	return nil
}
