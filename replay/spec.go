package replay

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/processor/rules"
	"github.com/millrace/millrace/schemas"
)

// spec is a replay compiled: which events it wants, and whom it asks about them. Goroutines share it.
type spec struct {
	schemas.Replay
	where  *rules.Condition // nil for always
	names  []string         // of the events that are read; none stands for all
	byName map[string][]*rules.Bound
	every  []*rules.Bound // asked about events whose name is in no trigger
}

// compile compiles the replay's conditions and mappings. It reports all that cannot be.
func compile(replay schemas.Replay) (*spec, error) {
	s := &spec{Replay: replay, byName: map[string][]*rules.Bound{}}
	var problems []error
	if replay.Where != "" {
		condition, err := rules.CompileCondition(replay.Where)
		if err != nil {
			problems = append(problems, fmt.Errorf("where: %w", err))
		}
		s.where = condition
	}
	for _, trigger := range replay.Triggers {
		bound := rules.Bind(trigger)
		if bound.Invalid != nil {
			problems = append(problems, fmt.Errorf("trigger %s: %w", trigger.ID, bound.Invalid))
		}
		s.bind(bound)
	}
	s.names = s.eventNames()
	return s, errors.Join(problems...)
}

// bind keeps the order in which the triggers are given, whatever they are bound to.
func (s *spec) bind(bound *rules.Bound) {
	if bound.Event != schemas.AnyEvent {
		if _, known := s.byName[bound.Event]; !known {
			s.byName[bound.Event] = slices.Clone(s.every)
		}
		s.byName[bound.Event] = append(s.byName[bound.Event], bound)
		return
	}
	s.every = append(s.every, bound)
	for name := range s.byName {
		s.byName[name] = append(s.byName[name], bound)
	}
}

// eventNames returns which names an event may have: those that are asked for, as far as a trigger is bound to them.
func (s *spec) eventNames() []string {
	if len(s.every) > 0 {
		return s.Events
	}
	var names []string
	for name := range s.byName {
		if len(s.Events) == 0 || slices.Contains(s.Events, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// triggers returns whom to ask about an event of this name: nobody where it is not wanted.
func (s *spec) triggers(event string) []*rules.Bound {
	if len(s.Events) > 0 && !slices.Contains(s.Events, event) {
		return nil
	}
	if named, found := s.byName[event]; found {
		return named
	}
	return s.every
}

// wants reports whether an event is of the replay's place, time and names.
func (s *spec) wants(meta schemas.EventMeta) bool {
	return meta.SourceID == s.SourceID && meta.Environment == s.Environment &&
		!meta.ReceivedAt.Before(s.From) && meta.ReceivedAt.Before(s.To) && len(s.triggers(meta.Event)) > 0
}

// asksStatuses reports whether it matters what the processor decided on the events.
func (s *spec) asksStatuses() bool { return !slices.Contains(s.Statuses, schemas.AnyStatus) }

// includes reports whether events of a status are replayed.
func (s *spec) includes(status schemas.Status) bool {
	if len(s.Statuses) == 0 {
		return status != schemas.Duplicate
	}
	return slices.Contains(s.Statuses, status)
}
