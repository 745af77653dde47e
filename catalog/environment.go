package catalog

import (
	"fmt"
	"maps"

	"github.com/millrace/millrace/schemas"
)

// PutEnvironment saves an environment under its name: a new one with revision 1, which gives each source an endpoint in
// it, an existing one with its next revision.
func (tx *Tx) PutEnvironment(environment schemas.Environment) (schemas.Environment, error) {
	before, exists := tx.view.Environment(environment.Name)
	if !exists && tx.view.environments.size >= maxEnvironments {
		return environment, full("environments", maxEnvironments)
	}
	saved, err := tx.putEnvironment(environment, before)
	if err != nil || exists {
		return saved, err
	}
	return saved, tx.openEnvironment(environment.Name)
}

// openEnvironment gives each source an endpoint in a new environment.
func (tx *Tx) openEnvironment(name string) error {
	for _, source := range tx.view.Sources() {
		if _, exists := source.Endpoints[name]; exists {
			continue
		}
		source.Endpoints = maps.Clone(source.Endpoints)
		tx.completeEndpoints(&source)
		if _, err := tx.PutSource(source); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) putEnvironment(environment, before schemas.Environment) (schemas.Environment, error) {
	environment.Revision, environment.CreatedAt, environment.UpdatedAt = before.Revision+1, before.CreatedAt, tx.at
	if before.Revision == 0 {
		environment.CreatedAt = tx.at
	}
	environment.Workflows = environment.Workflows.WithDefaults()
	if err := checkEnvironment(environment); err != nil {
		return environment, err
	}
	return environment, tx.put(schemas.CatalogEntry{Environment: &environment})
}

// DeleteEnvironment removes an environment that no trigger is in and that no source has an enabled endpoint in; the
// disabled endpoints go with it. Otherwise it is an *InUseError.
func (tx *Tx) DeleteEnvironment(name string) error {
	if !tx.view.environments.has(name) {
		return fmt.Errorf("environment %q: %w", name, ErrNotFound)
	}
	if err := tx.seesAll("deleting environment " + name); err != nil {
		return err
	}
	if err := tx.noReplay("deleting environment "+name, func(r *schemas.Replay) bool { return r.Environment == name }); err != nil {
		return err
	}
	if tx.view.uses.has(environmentKey(name)) {
		id := tx.userOf(func(t *schemas.Trigger) bool { return t.Environment == name })
		return &InUseError{fmt.Sprintf("environment %q has triggers, such as %s; delete them first", name, id)}
	}
	for _, source := range tx.view.Sources() {
		if endpoint, exists := source.Endpoints[name]; exists && !endpoint.Disabled && !source.Disabled {
			return &InUseError{fmt.Sprintf("environment %q has an enabled endpoint of source %q; disable it first", name, source.Name)}
		}
	}
	if err := tx.moveEndpoints(name, ""); err != nil {
		return err
	}
	return tx.remove(environmentKey(name))
}

// RenameEnvironment gives an environment another name; its endpoints, with their keys, and its triggers move along.
//
// The log keeps the old name: events, decisions and runs of before are found under it, and dedup does not recognise a
// repeat of an event that came under the old name. An event that was accepted and is not decided on yet concerns no
// trigger any more, and a run that is not started yet has no workflow API: rename an environment when it is quiet.
func (tx *Tx) RenameEnvironment(name, newName string) error {
	before, exists := tx.view.Environment(name)
	if !exists {
		return fmt.Errorf("environment %q: %w", name, ErrNotFound)
	}
	if tx.view.environments.has(newName) {
		return invalid("name", "name %q is taken; choose another", newName)
	}
	if err := tx.seesAll("renaming environment " + name); err != nil {
		return err
	}
	if err := tx.noReplay("renaming environment "+name, func(r *schemas.Replay) bool { return r.Environment == name }); err != nil {
		return err
	}
	after := before
	after.Name = newName
	if _, err := tx.putEnvironment(after, before); err != nil {
		return err
	}
	if err := tx.moveEndpoints(name, newName); err != nil {
		return err
	}
	if err := tx.moveTriggers(name, newName); err != nil {
		return err
	}
	tx.renamed[environmentKey(newName)] = environmentKey(name)
	return tx.remove(environmentKey(name))
}

// moveEndpoints moves the endpoints of an environment to another, or removes them.
func (tx *Tx) moveEndpoints(from, to string) error {
	for _, source := range tx.view.Sources() {
		endpoint, exists := source.Endpoints[from]
		if !exists {
			continue
		}
		source.Endpoints = maps.Clone(source.Endpoints)
		delete(source.Endpoints, from)
		if to != "" {
			source.Endpoints[to] = endpoint
		}
		source.Revision, source.UpdatedAt = source.Revision+1, tx.at
		if err := tx.put(schemas.CatalogEntry{Source: &source}); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) moveTriggers(from, to string) error {
	for _, trigger := range tx.view.Triggers() {
		if trigger.Environment != from {
			continue
		}
		trigger.Environment, trigger.Revision, trigger.UpdatedAt = to, trigger.Revision+1, tx.at
		if err := tx.put(schemas.CatalogEntry{Trigger: &trigger}); err != nil {
			return err
		}
	}
	return nil
}
