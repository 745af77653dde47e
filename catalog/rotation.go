package catalog

import (
	"fmt"
	"maps"
	"time"

	"github.com/millrace/millrace/schemas"
)

// The longest time that a key is good for after its rotation, and how many such keys an endpoint has at most.
const (
	maxGrace        = 7 * 24 * time.Hour
	maxPreviousKeys = 5
)

// RotateKey gives an endpoint a new key. The old one is good for the grace period yet, up to 7 days, and so are those
// before it until their own time. With a grace of 0 the old key and all before it cease to be good at once: that is for
// a key that has got into wrong hands.
func (tx *Tx) RotateKey(sourceID, environment string, grace time.Duration) (schemas.Source, error) {
	source, exists := tx.view.Source(sourceID)
	if !exists {
		return source, fmt.Errorf("source %q: %w", sourceID, ErrNotFound)
	}
	endpoint, exists := source.Endpoints[environment]
	if !exists {
		return source, fmt.Errorf("endpoint of source %q in environment %q: %w", source.Name, environment, ErrNotFound)
	}
	previous, err := tx.retire(endpoint, grace)
	if err != nil {
		return source, err
	}
	key := newKey()
	endpoint.Key, endpoint.KeyHash, endpoint.Previous = tx.keys.seal(key), HashKey(key), previous
	source.Endpoints = maps.Clone(source.Endpoints)
	source.Endpoints[environment] = endpoint
	source.Revision, source.UpdatedAt = source.Revision+1, tx.at
	return source, tx.put(schemas.CatalogEntry{Source: &source})
}

// retire returns the previous keys of an endpoint whose key is rotated out.
func (tx *Tx) retire(endpoint schemas.Endpoint, grace time.Duration) ([]schemas.PreviousKey, error) {
	if grace < 0 || grace > maxGrace {
		return nil, invalid("grace", "grace %s: give a duration from 0s, which ends the old key at once, to %s", grace, maxGrace)
	}
	if grace == 0 {
		return nil, nil
	}
	good := stillGood(endpoint.Previous, tx.at)
	if len(good) >= maxPreviousKeys {
		return nil, invalid("grace", "%d earlier keys are still good, which is the limit, the first until %s; wait, or give a grace of 0, which ends all of them at once",
			len(good), earliest(good).Format(time.RFC3339))
	}
	return append(good, schemas.PreviousKey{KeyHash: endpoint.KeyHash, Until: tx.at.Add(grace)}), nil
}

// stillGood returns a copy without the keys whose time is over.
func stillGood(keys []schemas.PreviousKey, now time.Time) []schemas.PreviousKey {
	var good []schemas.PreviousKey
	for _, key := range keys {
		if now.Before(key.Until) {
			good = append(good, key)
		}
	}
	return good
}

func earliest(keys []schemas.PreviousKey) time.Time {
	first := keys[0].Until
	for _, key := range keys {
		if key.Until.Before(first) {
			first = key.Until
		}
	}
	return first
}
