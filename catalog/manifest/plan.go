package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/schemas/typo"
)

// Action is what has to be done to a resource.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Change is what has to be done, or was done, to one resource.
type Change struct {
	Action      Action        `json:"action"`
	Kind        string        `json:"kind"`
	Name        string        `json:"name"`
	Environment string        `json:"environment,omitempty"` // of a trigger
	ID          string        `json:"id,omitempty"`          // of a source or trigger that exists
	Fields      []FieldChange `json:"fields"`

	desired int // index in the manifest's list of its kind
}

// FieldChange is a field's value before and after; null is none, or the default.
type FieldChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// Plan is all that makes a catalog what a manifest says, in the order in which it is done.
type Plan struct {
	Changes   []Change `json:"changes"`
	Unchanged int      `json:"unchanged"` // resources of the manifest that are already so
}

// Count returns how many changes of a kind there are.
func (p Plan) Count(action Action) int {
	count := 0
	for _, change := range p.Changes {
		if change.Action == action {
			count++
		}
	}
	return count
}

// Compare plans what makes the catalog what the manifest says. With prune, the sources and triggers that the manifest
// does not have are deleted. Environments never are: with one go the endpoint keys of every source in it, and every
// start makes the first two again; they are deleted by name. The error is the Problems that no order of changes solves.
func Compare(s *catalog.Snapshot, m Manifest, prune bool) (Plan, error) {
	now := Export(s)
	c := comparison{plan: Plan{Changes: []Change{}}, environments: map[string]bool{}, sources: map[string]bool{}}
	c.know(now)
	c.know(m)
	c.compareEnvironments(now, m)
	sources := c.compareSources(now, m, prune)
	triggers := c.compareTriggers(now, m, prune)
	c.plan.Changes = append(append(c.plan.Changes, triggers...), sources...) // deletions, in reverse order
	return c.plan, c.problems.orNil()
}

type comparison struct {
	plan         Plan
	problems     Problems
	environments map[string]bool // that there will be
	sources      map[string]bool
}

func (c *comparison) know(m Manifest) {
	for _, e := range m.Environments {
		c.environments[e.Name] = true
	}
	for _, s := range m.Sources {
		c.sources[s.Name] = true
	}
}

// add plans an update where a field differs.
func (c *comparison) add(change Change, before, after []field) {
	change.Fields = differences(before, after)
	if change.Action == Update && len(change.Fields) == 0 {
		c.plan.Unchanged++
		return
	}
	c.plan.Changes = append(c.plan.Changes, change)
}

func (c *comparison) compareEnvironments(now, m Manifest) {
	known := map[string]Environment{}
	for _, e := range now.Environments {
		known[e.Name] = e
	}
	for i, e := range m.Environments {
		before, exists := known[e.Name]
		c.add(Change{Action: createOrUpdate(exists), Kind: KindEnvironment, Name: e.Name, desired: i}, before.fields(), e.fields())
	}
}

func (c *comparison) compareSources(now, m Manifest, prune bool) (deletions []Change) {
	kept := map[string]bool{}
	known := map[string]Source{}
	for _, s := range now.Sources {
		known[s.Name] = s
	}
	for i, s := range m.Sources {
		for _, name := range byName(s.Endpoints) {
			c.needEnvironment(name, "endpoints."+name, Problem{Kind: KindSource, Name: s.Name}, s.Origin)
		}
		before, exists := known[s.Name]
		kept[s.Name] = true
		c.add(Change{Action: createOrUpdate(exists), Kind: KindSource, Name: s.Name, ID: before.id, desired: i}, before.fields(), c.complete(s).fields())
	}
	for _, s := range slices.Backward(now.Sources) {
		if prune && !kept[s.Name] {
			c.sources[s.Name] = false
			deletions = append(deletions, Change{Action: Delete, Kind: KindSource, Name: s.Name, ID: s.id, Fields: differences(s.fields(), nil)})
		}
	}
	return deletions
}

// complete gives a source an endpoint in each environment that there will be.
func (c *comparison) complete(s Source) Source {
	s.Endpoints = maps.Clone(s.Endpoints)
	if s.Endpoints == nil {
		s.Endpoints = map[string]Endpoint{}
	}
	for environment := range c.environments {
		if _, given := s.Endpoints[environment]; !given {
			s.Endpoints[environment] = defaultEndpoint()
		}
	}
	return s
}

func (c *comparison) compareTriggers(now, m Manifest, prune bool) (deletions []Change) {
	type key struct{ environment, name string }
	kept := map[key]bool{}
	known := map[key]Trigger{}
	for _, t := range now.Triggers {
		known[key{t.Environment, t.Name}] = t
	}
	for i, t := range m.Triggers {
		at := key{t.Environment, t.Name}
		before, exists := known[at]
		kept[at] = true
		subject := Problem{Kind: KindTrigger, Name: t.Name, Environment: t.Environment}
		c.needEnvironment(t.Environment, "environment", subject, t.Origin)
		c.needSource(t.Source, subject, t.Origin)
		change := Change{Action: createOrUpdate(exists), Kind: KindTrigger, Name: t.Name, Environment: t.Environment, ID: before.id, desired: i}
		c.add(change, before.fields(), t.fields())
	}
	for _, t := range slices.Backward(now.Triggers) {
		if prune && !kept[key{t.Environment, t.Name}] {
			deletions = append(deletions, Change{
				Action: Delete, Kind: KindTrigger, Name: t.Name, Environment: t.Environment, ID: t.id, Fields: differences(t.fields(), nil),
			})
		}
	}
	return deletions
}

func (c *comparison) needEnvironment(name, field string, subject Problem, origin Origin) {
	if !c.environments[name] {
		c.refuse(subject, origin, field, "environment %q is neither in the files nor in the catalog%s", name, hint(name, c.environments))
	}
}

func (c *comparison) needSource(name string, subject Problem, origin Origin) {
	if known, listed := c.sources[name]; !known {
		why := "is neither in the files nor in the catalog" + hint(name, c.sources)
		if listed {
			why = "is not in the files and would be pruned; add it to them"
		}
		c.refuse(subject, origin, "source", "source %q %s", name, why)
	}
}

func (c *comparison) refuse(subject Problem, origin Origin, field, format string, args ...any) {
	subject.At, subject.Resource, subject.Field, subject.Message = origin.At(field), origin.Index, field, fmt.Sprintf(format, args...)
	c.problems = append(c.problems, subject)
}

func hint(name string, known map[string]bool) string {
	if near := typo.Nearest(name, byName(known)); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

func createOrUpdate(exists bool) Action {
	if exists {
		return Update
	}
	return Create
}

// differences lists the fields whose values differ, in the order of before, then the new ones.
func differences(before, after []field) []FieldChange {
	changes := []FieldChange{}
	was := map[string]json.RawMessage{}
	for _, f := range before {
		was[f.name] = f.value
	}
	will := map[string]bool{}
	for _, f := range after {
		will[f.name] = true
		if !bytes.Equal(was[f.name], f.value) {
			changes = append(changes, FieldChange{f.name, was[f.name], f.value})
		}
	}
	for _, f := range before {
		if !will[f.name] {
			changes = append(changes, FieldChange{f.name, f.value, nil})
		}
	}
	return changes
}
