package catalog

import (
	"fmt"
	"maps"
	"time"

	"github.com/millrace/millrace/schemas"
)

// Keys opens stored endpoint keys.
type Keys struct{}

// NewKeys returns the keys of a catalog that has no key of its own.
func NewKeys(string) (*Keys, error) { return &Keys{}, nil }

// Open returns an endpoint's key as senders use it.
func (*Keys) Open(stored string) (string, error) { return stored, nil }

// StaleError says that the revision a change was meant for is not the current one.
type StaleError struct{ Current int64 }

func (e *StaleError) Error() string {
	return fmt.Sprintf("it was changed meanwhile: the current revision is %d; read it again and repeat the change", e.Current)
}

// CheckRevision compares the revision that a change was meant for, 0 for any, with the current one.
func CheckRevision(want, current int64) error {
	if want == 0 || want == current {
		return nil
	}
	return &StaleError{current}
}

// RotateKey gives an endpoint a new key; the old one is good for the grace period yet.
func (tx *Tx) RotateKey(sourceID, environment string, grace time.Duration) (schemas.Source, error) {
	source, exists := tx.Snapshot().Source(sourceID)
	if !exists {
		return source, fmt.Errorf("source %q: %w", sourceID, ErrNotFound)
	}
	endpoint, exists := source.Endpoints[environment]
	if !exists {
		return source, fmt.Errorf("endpoint of source %q in %q: %w", source.Name, environment, ErrNotFound)
	}
	if grace > 0 {
		endpoint.Previous = append(endpoint.Previous, schemas.PreviousKey{KeyHash: endpoint.KeyHash, Until: tx.writer.time().Add(grace)})
	}
	endpoint.Key = ""
	source.Endpoints = maps.Clone(source.Endpoints)
	source.Endpoints[environment] = endpoint
	return tx.PutSource(source)
}

// RenameEnvironment gives an environment another name, in everything that belongs to it too.
func (tx *Tx) RenameEnvironment(name, newName string) error {
	environment, exists := tx.Snapshot().Environment(name)
	if !exists {
		return fmt.Errorf("environment %q: %w", name, ErrNotFound)
	}
	if _, taken := tx.Snapshot().Environment(newName); taken {
		return invalid("name", "name %q is taken; choose another", newName)
	}
	environment.Name = newName
	if _, err := tx.PutEnvironment(environment); err != nil {
		return err
	}
	for _, source := range tx.Snapshot().Sources() {
		endpoint, exists := source.Endpoints[name]
		if !exists {
			continue
		}
		source.Endpoints = maps.Clone(source.Endpoints)
		delete(source.Endpoints, name)
		source.Endpoints[newName] = endpoint
		if _, err := tx.PutSource(source); err != nil {
			return err
		}
	}
	for _, trigger := range tx.Snapshot().Triggers() {
		if trigger.Environment != name {
			continue
		}
		trigger.Environment = newName
		if _, err := tx.PutTrigger(trigger); err != nil {
			return err
		}
	}
	tx.remove(environmentKey(name))
	return nil
}
