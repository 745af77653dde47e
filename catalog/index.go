package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/millrace/millrace/schemas"
)

// draft returns a copy that can be changed, by methods that are given an edit. It shares with s what they leave alone.
func (s *Snapshot) draft() *Snapshot {
	c := *s
	return &c
}

// entry returns what a record key holds.
func (s *Snapshot) entry(key string) (schemas.CatalogEntry, bool) {
	kind, id := splitKey(key)
	var e schemas.CatalogEntry
	var exists bool
	switch kind {
	case environmentKind:
		e.Environment, exists = s.environments.get(id)
	case sourceKind:
		e.Source, exists = s.sources.get(id)
	case triggerKind:
		e.Trigger, exists = s.triggers.get(id)
	case replayKind:
		e.Replay, exists = s.replays.get(id)
	}
	return e, exists
}

// put sets what a record key holds, in a draft.
func (s *Snapshot) put(e *edit, key string, entry schemas.CatalogEntry) {
	s.remove(e, key)
	switch {
	case entry.Environment != nil:
		s.environments.set(e, entry.Environment.Name, entry.Environment)
	case entry.Source != nil:
		s.putSource(e, entry.Source)
	case entry.Trigger != nil:
		s.putTrigger(e, entry.Trigger)
	case entry.Replay != nil:
		s.replays.set(e, entry.Replay.ID, entry.Replay)
	}
}

// remove takes away what a record key holds, in a draft.
func (s *Snapshot) remove(e *edit, key string) {
	s.unreadable.remove(e, key)
	s.partly.remove(e, key)
	kind, id := splitKey(key)
	switch kind {
	case environmentKind:
		s.environments.remove(e, id)
	case sourceKind:
		s.removeSource(e, id)
	case triggerKind:
		s.removeTrigger(e, id)
	case replayKind:
		s.replays.remove(e, id)
	}
}

func (s *Snapshot) putSource(e *edit, source *schemas.Source) {
	s.sources.set(e, source.ID, source)
	s.sourceIDs.set(e, source.Name, source.ID)
	for environment, endpoint := range source.Endpoints {
		indexed := Endpoint{Endpoint: endpoint, SourceID: source.ID, SourceName: source.Name, Environment: environment}
		indexed.Disabled = endpoint.Disabled || source.Disabled
		if hash, valid := parseHash(endpoint.KeyHash); valid {
			s.endpoints.set(e, hash, indexed)
		}
		for _, previous := range endpoint.Previous {
			if hash, valid := parseHash(previous.KeyHash); valid {
				indexed.until = previous.Until
				s.endpoints.set(e, hash, indexed)
			}
		}
	}
}

func (s *Snapshot) removeSource(e *edit, id string) {
	source, exists := s.sources.get(id)
	if !exists {
		return
	}
	s.sources.remove(e, id)
	if named, _ := s.sourceIDs.get(source.Name); named == id {
		s.sourceIDs.remove(e, source.Name)
	}
	for _, endpoint := range source.Endpoints {
		s.removeHash(e, endpoint.KeyHash)
		for _, previous := range endpoint.Previous {
			s.removeHash(e, previous.KeyHash)
		}
	}
}

func (s *Snapshot) removeHash(e *edit, text string) {
	if hash, valid := parseHash(text); valid {
		s.endpoints.remove(e, hash)
	}
}

func (s *Snapshot) putTrigger(e *edit, trigger *schemas.Trigger) {
	s.triggers.set(e, trigger.ID, trigger)
	if trigger.Name != "" {
		s.triggerIDs.set(e, triggerName{trigger.Environment, trigger.Name}, trigger.ID)
	}
	at := binding{trigger.Environment, trigger.SourceID, trigger.Event}
	others, _ := s.bound.get(at)
	place, _ := slices.BinarySearchFunc(others, trigger, olderTrigger)
	together := make([]*schemas.Trigger, 0, len(others)+1)
	together = append(append(append(together, others[:place]...), trigger), others[place:]...)
	s.bound.set(e, at, together)
	s.count(e, trigger, 1)
}

func (s *Snapshot) removeTrigger(e *edit, id string) {
	trigger, exists := s.triggers.get(id)
	if !exists {
		return
	}
	s.triggers.remove(e, id)
	name := triggerName{trigger.Environment, trigger.Name}
	if named, _ := s.triggerIDs.get(name); named == id {
		s.triggerIDs.remove(e, name)
	}
	at := binding{trigger.Environment, trigger.SourceID, trigger.Event}
	others, _ := s.bound.get(at)
	others = slices.DeleteFunc(slices.Clone(others), func(t *schemas.Trigger) bool { return t.ID == id })
	if len(others) == 0 {
		s.bound.remove(e, at)
	} else {
		s.bound.set(e, at, others)
	}
	s.count(e, trigger, -1)
}

func (s *Snapshot) count(e *edit, trigger *schemas.Trigger, by int) {
	for _, key := range []string{environmentKey(trigger.Environment), sourceKey(trigger.SourceID)} {
		n, _ := s.uses.get(key)
		if n += by; n == 0 {
			s.uses.remove(e, key)
		} else {
			s.uses.set(e, key, n)
		}
	}
}

func parseHash(text string) (hash [sha256.Size]byte, valid bool) {
	n, err := hex.Decode(hash[:], []byte(text[:min(len(text), hex.EncodedLen(sha256.Size))]))
	return hash, err == nil && n == sha256.Size
}
