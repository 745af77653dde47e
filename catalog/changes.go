package catalog

import (
	"context"
	"fmt"
	"maps"

	"github.com/millrace/millrace/schemas"
)

// The changes of one thing.

// EnsureEnvironment creates an environment that does not exist yet and leaves one that does as it is.
func (w *Writer) EnsureEnvironment(ctx context.Context, environment schemas.Environment) error {
	return w.Change(ctx, func(tx *Tx) error {
		if _, exists := tx.Snapshot().Environment(environment.Name); exists {
			return nil
		}
		_, err := tx.PutEnvironment(environment)
		return err
	})
}

// CreateSource adds a source. See Tx.PutSource.
func (w *Writer) CreateSource(ctx context.Context, source schemas.Source) (created schemas.Source, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		source.ID = ""
		created, err = tx.PutSource(source)
		return err
	})
	return created, err
}

// UpdateSource lets edit change a copy of the source, which is found by ID or name, and saves it.
func (w *Writer) UpdateSource(ctx context.Context, idOrName string, edit func(*schemas.Source) error) (updated schemas.Source, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		source, found := tx.Snapshot().Source(idOrName)
		if !found {
			return fmt.Errorf("source %q: %w", idOrName, ErrNotFound)
		}
		source.Endpoints = maps.Clone(source.Endpoints)
		if err := edit(&source); err != nil {
			return err
		}
		updated, err = tx.PutSource(source)
		return err
	})
	return updated, err
}

// CreateTrigger adds a trigger. See Tx.PutTrigger.
func (w *Writer) CreateTrigger(ctx context.Context, trigger schemas.Trigger) (created schemas.Trigger, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		trigger.ID = ""
		created, err = tx.PutTrigger(trigger)
		return err
	})
	return created, err
}

// UpdateTrigger lets edit change a copy of the trigger and saves it.
func (w *Writer) UpdateTrigger(ctx context.Context, id string, edit func(*schemas.Trigger) error) (updated schemas.Trigger, err error) {
	err = w.Change(ctx, func(tx *Tx) error {
		trigger, found := tx.Snapshot().Trigger(id)
		if !found {
			return fmt.Errorf("trigger %q: %w", id, ErrNotFound)
		}
		trigger.Mapping.Data = maps.Clone(trigger.Mapping.Data)
		if err := edit(&trigger); err != nil {
			return err
		}
		updated, err = tx.PutTrigger(trigger)
		return err
	})
	return updated, err
}

// DeleteTrigger removes a trigger. See Tx.DeleteTrigger.
func (w *Writer) DeleteTrigger(ctx context.Context, id string) error {
	return w.Change(ctx, func(tx *Tx) error { return tx.DeleteTrigger(id) })
}
