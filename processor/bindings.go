package processor

import (
	"time"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas"
)

// bindings knows what the catalog says about events, for one decider.
type bindings struct {
	triggers *compiledTriggers
	snapshot *catalog.Snapshot // the one that byEvent was gathered from
	byEvent  map[eventName]*binding
}

// eventName is what events are looked up by.
type eventName struct{ environment, sourceID, event string }

// binding is what the catalog says about the events of a name.
type binding struct {
	source   string        // the name of the event's source
	window   time.Duration // the dedup window of the event's endpoint, 0 for off
	triggers []*compiledTrigger
}

// maxNames bounds how many event names are remembered: they come from outside.
const maxNames = 10_000

// of returns what the catalog says about an event.
func (b *bindings) of(meta schemas.EventMeta) *binding {
	if b.snapshot != b.triggers.snapshot {
		b.snapshot, b.byEvent = b.triggers.snapshot, map[eventName]*binding{}
	}
	name := eventName{meta.Environment, meta.SourceID, meta.Event}
	if known, found := b.byEvent[name]; found {
		return known
	}
	made := &binding{source: meta.SourceID, window: window(b.snapshot, meta)}
	if source, found := b.snapshot.Source(meta.SourceID); found {
		made.source = source.Name
	}
	for _, trigger := range b.snapshot.Bound(meta.Environment, meta.SourceID, meta.Event) {
		made.triggers = append(made.triggers, b.triggers.byID[trigger.ID])
	}
	if len(b.byEvent) >= maxNames {
		clear(b.byEvent)
	}
	b.byEvent[name] = made
	return made
}
