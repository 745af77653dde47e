// Package catalog holds what users configure: environments, sources with their endpoints, and triggers. It is kept in
// one compacted Kafka topic, which a Reader follows into an immutable Snapshot behind an atomic pointer, and to which a
// Writer adds changes one at a time. The hot paths look things up in the Snapshot without a lock and without I/O.
package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// Endpoint is a source's endpoint in one environment, found by its key.
type Endpoint struct {
	schemas.Endpoint
	SourceID    string
	SourceName  string
	Environment string
}

// Snapshot is the catalog at one moment. It never changes; whoever holds one may keep it.
type Snapshot struct {
	entries   map[string]schemas.CatalogEntry // by record key
	endpoints map[string]Endpoint             // by the hash of the key
	triggers  map[binding][]*schemas.Trigger  // by what they are bound to, oldest first
}

// binding is what a trigger is bound to.
type binding struct{ environment, sourceID, event string }

// newSnapshot indexes the entries, which it keeps.
func newSnapshot(entries map[string]schemas.CatalogEntry) *Snapshot {
	if entries == nil {
		entries = map[string]schemas.CatalogEntry{}
	}
	s := &Snapshot{entries: entries, endpoints: map[string]Endpoint{}, triggers: map[binding][]*schemas.Trigger{}}
	for _, entry := range entries {
		switch {
		case entry.Source != nil:
			s.indexSource(entry.Source)
		case entry.Trigger != nil:
			at := binding{entry.Trigger.Environment, entry.Trigger.SourceID, entry.Trigger.Event}
			s.triggers[at] = append(s.triggers[at], entry.Trigger)
		}
	}
	for _, bound := range s.triggers {
		slices.SortFunc(bound, olderTrigger)
	}
	return s
}

func (s *Snapshot) indexSource(source *schemas.Source) {
	for environment, endpoint := range source.Endpoints {
		s.endpoints[endpoint.KeyHash] = Endpoint{endpoint, source.ID, source.Name, environment}
	}
}

// Endpoint finds an endpoint by its key, disabled ones included.
func (s *Snapshot) Endpoint(key string) (Endpoint, bool) {
	endpoint, found := s.endpoints[HashKey(key)]
	return endpoint, found
}

// Bound returns the triggers that an event of this environment, source and name concerns, active or not: those bound
// to the name, then those bound to every event, each oldest first. The caller must not change them.
func (s *Snapshot) Bound(environment, sourceID, event string) []*schemas.Trigger {
	named := s.triggers[binding{environment, sourceID, event}]
	every := s.triggers[binding{environment, sourceID, schemas.AnyEvent}]
	if len(every) == 0 || event == schemas.AnyEvent {
		return named
	}
	return slices.Concat(named, every)
}

// Environment finds an environment by its name.
func (s *Snapshot) Environment(name string) (schemas.Environment, bool) {
	entry, found := s.entries[environmentKey(name)]
	if !found {
		return schemas.Environment{}, false
	}
	return *entry.Environment, true
}

// Environments lists the environments by name.
func (s *Snapshot) Environments() []schemas.Environment {
	return sorted(s, func(e schemas.CatalogEntry) *schemas.Environment { return e.Environment },
		func(a, b schemas.Environment) int { return strings.Compare(a.Name, b.Name) })
}

// Source finds a source by its ID, or by its name.
func (s *Snapshot) Source(idOrName string) (schemas.Source, bool) {
	if entry, found := s.entries[sourceKey(idOrName)]; found {
		return *entry.Source, true
	}
	for _, source := range s.Sources() {
		if source.Name == idOrName {
			return source, true
		}
	}
	return schemas.Source{}, false
}

// Sources lists the sources, oldest first.
func (s *Snapshot) Sources() []schemas.Source {
	return sorted(s, func(e schemas.CatalogEntry) *schemas.Source { return e.Source }, func(a, b schemas.Source) int {
		if byTime := a.CreatedAt.Compare(b.CreatedAt); byTime != 0 {
			return byTime
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// Trigger finds a trigger by its ID.
func (s *Snapshot) Trigger(id string) (schemas.Trigger, bool) {
	entry, found := s.entries[triggerKey(id)]
	if !found {
		return schemas.Trigger{}, false
	}
	return *entry.Trigger, true
}

// Triggers lists the triggers, oldest first.
func (s *Snapshot) Triggers() []schemas.Trigger {
	return sorted(s, func(e schemas.CatalogEntry) *schemas.Trigger { return e.Trigger },
		func(a, b schemas.Trigger) int { return olderTrigger(&a, &b) })
}

func olderTrigger(a, b *schemas.Trigger) int {
	if byTime := a.CreatedAt.Compare(b.CreatedAt); byTime != 0 {
		return byTime
	}
	return strings.Compare(a.ID, b.ID)
}

func sorted[T any](s *Snapshot, pick func(schemas.CatalogEntry) *T, compare func(a, b T) int) []T {
	list := []T{}
	for entry := range maps.Values(s.entries) {
		if item := pick(entry); item != nil {
			list = append(list, *item)
		}
	}
	slices.SortFunc(list, compare)
	return list
}
