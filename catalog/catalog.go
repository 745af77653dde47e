// Package catalog holds what users configure: environments, sources with their endpoints, triggers, and replays. It is kept in
// one compacted Kafka topic, which a Reader follows into an immutable Snapshot behind an atomic pointer, and to which a
// Writer adds changes one at a time. The hot paths look things up in the Snapshot without a lock and without I/O.
package catalog

import (
	"crypto/sha256"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/schemas"
)

// Endpoint is a source's endpoint in one environment, found by one of its keys. Disabled is true where the source is.
type Endpoint struct {
	schemas.Endpoint
	SourceID    string
	SourceName  string
	Environment string

	until time.Time // of a key that was rotated out: when it ceases to be good
}

// IsGood reports whether the key that the endpoint was found by is good at a moment: a key that was rotated out is good
// until its grace period ends.
func (e Endpoint) IsGood(at time.Time) bool { return e.until.IsZero() || at.Before(e.until) }

// Snapshot is the catalog at one moment, between two changes, never within one. It never changes; whoever holds one may
// keep it. What its methods return must not be changed, the maps and slices inside included.
type Snapshot struct {
	environments table[string, *schemas.Environment] // by name
	sources      table[string, *schemas.Source]      // by ID
	sourceIDs    table[string, string]               // by name
	endpoints    table[[sha256.Size]byte, Endpoint]  // by the hash of a key
	triggers     table[string, *schemas.Trigger]     // by ID
	triggerIDs   table[triggerName, string]
	replays      table[string, *schemas.Replay]     // by ID
	bound        table[binding, []*schemas.Trigger] // oldest first
	uses         table[string, int]                 // triggers by the record key of their environment, and of their source
	unreadable   table[string, unreadable]          // record keys whose last record this version cannot read
	partly       table[string, struct{}]            // record keys whose last record has members that this version does not know
}

// triggerName is what a trigger is called.
type triggerName struct{ environment, name string }

// binding is what a trigger is bound to.
type binding struct{ environment, sourceID, event string }

func newSnapshot() *Snapshot {
	seed := maphash.MakeSeed()
	return &Snapshot{
		environments: newTable[string, *schemas.Environment](seed),
		sources:      newTable[string, *schemas.Source](seed),
		sourceIDs:    newTable[string, string](seed),
		endpoints:    newTable[[sha256.Size]byte, Endpoint](seed),
		triggers:     newTable[string, *schemas.Trigger](seed),
		triggerIDs:   newTable[triggerName, string](seed),
		replays:      newTable[string, *schemas.Replay](seed),
		bound:        newTable[binding, []*schemas.Trigger](seed),
		uses:         newTable[string, int](seed),
		unreadable:   newTable[string, unreadable](seed),
		partly:       newTable[string, struct{}](seed),
	}
}

// Endpoint finds an endpoint by its key or by one that was rotated out, disabled ones and keys past their time included.
func (s *Snapshot) Endpoint(key string) (Endpoint, bool) {
	return s.endpoints.get(sha256.Sum256([]byte(key)))
}

// Bound returns the triggers that an event of this environment, source and name concerns, active or not: those bound
// to the name, then those bound to every event, each oldest first.
func (s *Snapshot) Bound(environment, sourceID, event string) []*schemas.Trigger {
	named, _ := s.bound.get(binding{environment, sourceID, event})
	every, _ := s.bound.get(binding{environment, sourceID, schemas.AnyEvent})
	if len(every) == 0 || event == schemas.AnyEvent {
		return named
	}
	return slices.Concat(named, every)
}

// Environment finds an environment by its name.
func (s *Snapshot) Environment(name string) (schemas.Environment, bool) {
	return found(s.environments.get(name))
}

// Environments lists the environments by name.
func (s *Snapshot) Environments() []schemas.Environment {
	return sorted(&s.environments, func(a, b *schemas.Environment) int { return strings.Compare(a.Name, b.Name) })
}

// Source finds a source by its ID, or by its name.
func (s *Snapshot) Source(idOrName string) (schemas.Source, bool) {
	if source, known := s.sources.get(idOrName); known {
		return *source, true
	}
	id, _ := s.sourceIDs.get(idOrName)
	return found(s.sources.get(id))
}

// Sources lists the sources, oldest first.
func (s *Snapshot) Sources() []schemas.Source {
	return sorted(&s.sources, func(a, b *schemas.Source) int { return older(a.CreatedAt, b.CreatedAt, a.ID, b.ID) })
}

// Trigger finds a trigger by its ID.
func (s *Snapshot) Trigger(id string) (schemas.Trigger, bool) {
	return found(s.triggers.get(id))
}

// TriggerNamed finds a trigger by its environment and its name.
func (s *Snapshot) TriggerNamed(environment, name string) (schemas.Trigger, bool) {
	id, _ := s.triggerIDs.get(triggerName{environment, name})
	return s.Trigger(id)
}

// Triggers lists the triggers, oldest first.
func (s *Snapshot) Triggers() []schemas.Trigger { return sorted(&s.triggers, olderTrigger) }

// TriggersSince calls changed with each trigger that is not as it was in an earlier snapshot of the same reader, and gone
// with the ID of each that is not there any more; without an earlier one, all are new. It takes time by what has changed,
// not by how much there is.
func (s *Snapshot) TriggersSince(before *Snapshot, changed func(*schemas.Trigger), gone func(id string)) {
	if before == nil {
		for _, trigger := range s.triggers.all() {
			changed(trigger)
		}
		return
	}
	s.triggers.since(&before.triggers, func(a, b *schemas.Trigger) bool { return a == b }, changed, gone)
}

func olderTrigger(a, b *schemas.Trigger) int { return older(a.CreatedAt, b.CreatedAt, a.ID, b.ID) }

func older(a, b time.Time, aID, bID string) int {
	if byTime := a.Compare(b); byTime != 0 {
		return byTime
	}
	return strings.Compare(aID, bID)
}

func found[T any](item *T, exists bool) (T, bool) {
	if !exists {
		item = new(T)
	}
	return *item, exists
}

func sorted[T any](items *table[string, *T], compare func(a, b *T) int) []T {
	list := make([]*T, 0, items.size)
	for _, item := range items.all() {
		list = append(list, item)
	}
	slices.SortFunc(list, compare)
	copies := make([]T, len(list))
	for i, item := range list {
		copies[i] = *item
	}
	return copies
}
