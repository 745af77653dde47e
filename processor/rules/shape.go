package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a shape. Names inside of events come from outside, and some are IDs.
const (
	maxShapePaths   = 2_000  // in all
	maxShapeValues  = 20_000 // that are looked at in one event
	maxExampleBytes = 200
)

// Shape is what events look like: the paths that lead to a value in them. It is gathered from events, newest first.
// The zero value is empty.
type Shape struct {
	events int
	paths  int
	roots  [rootCount]*shape
	isCut  bool // not everything was taken up
}

// shape is what lies at one path.
type shape struct {
	types   map[string]int
	events  int // in how many it is present
	last    int // the event that was counted last
	example jsontext.Value
	members map[string]*shape
	element *shape // stands for every element of a list
	isCut   bool   // there is more inside than was taken up
}

// Property is a path that a mapping can use, and what events have there. For a list, 0 stands for each of its elements.
type Property struct {
	Path    string          `json:"path"`
	Types   map[string]int  `json:"types"`             // of its values: string, number, boolean, object, array or null
	Events  int             `json:"events"`            // in how many events it is present
	Example json.RawMessage `json:"example,omitempty"` // the latest; cut where it is long, absent for objects and arrays
}

// Events returns how many events were gathered.
func (s *Shape) Events() int { return s.events }

// IsCut tells whether the events have more paths than a shape holds.
func (s *Shape) IsCut() bool { return s.isCut }

// Add gathers an event. One whose body cannot be read counts as an event without anything in it.
func (s *Shape) Add(event *Event) {
	s.events++
	body, err := event.open()
	if err != nil {
		return
	}
	left := maxShapeValues
	raw := s.root(rootRaw)
	for i := range body.level.members {
		member := &body.level.members[i]
		switch name := string(member.name); name {
		case "type", "event":
		case "properties":
			if member.kind() == '{' {
				s.add(s.root(rootData), &member.value, &left)
			}
		default:
			if r, isRoot := bodyRoot(name); isRoot {
				s.add(s.root(r), &member.value, &left)
			} else if at := s.member(raw, name); at != nil {
				s.add(at, &member.value, &left)
			}
		}
	}
	s.isCut = s.isCut || left < 0
}

// bodyRoot returns the root that reads a member of the body.
func bodyRoot(member string) (root, bool) {
	switch member {
	case "properties":
		return rootData, true
	case "userId":
		return rootUserID, true
	case "anonymousId":
		return rootAnonymousID, true
	case "messageId":
		return rootMessageID, true
	case "timestamp":
		return rootTimestamp, true
	case "context":
		return rootContext, true
	}
	return 0, false
}

func (s *Shape) root(r root) *shape {
	if s.roots[r] == nil {
		s.roots[r] = &shape{}
	}
	return s.roots[r]
}

// add takes up a value and what is inside it.
func (s *Shape) add(at *shape, v *value, left *int) {
	if *left--; *left < 0 {
		at.isCut = true
		return
	}
	if at.last != s.events {
		at.last = s.events
		at.events++
	}
	at.note(v)
	if kind := v.kind(); kind != '{' && kind != '[' || v.open() != nil {
		return
	}
	for i := range v.level.members {
		member := &v.level.members[i]
		inside := s.inside(at, v, member)
		if inside != nil {
			s.add(inside, &member.value, left)
		}
		if *left < 0 {
			at.isCut = true
			return
		}
	}
}

func (s *Shape) inside(at *shape, v *value, m *member) *shape {
	if v.kind() == '{' {
		return s.member(at, string(m.name))
	}
	if at.element == nil && s.hasRoom(at) {
		at.element = &shape{}
	}
	return at.element
}

// member returns the place of an object's member, nil where there is no room. A path cannot lead to a member without a
// name.
func (s *Shape) member(at *shape, name string) *shape {
	known := at.members[name]
	if known != nil || name == "" || !s.hasRoom(at) {
		return known
	}
	if at.members == nil {
		at.members = map[string]*shape{}
	}
	known = &shape{}
	at.members[name] = known
	return known
}

func (s *Shape) hasRoom(at *shape) bool {
	if s.paths++; s.paths <= maxShapePaths {
		return true
	}
	at.isCut, s.isCut = true, true
	return false
}

func (at *shape) note(v *value) {
	if at.types == nil {
		at.types = map[string]int{}
	}
	kind := jsonType(v)
	at.types[kind]++
	if at.example != nil || kind == "null" || kind == "object" || kind == "array" {
		return
	}
	switch {
	case len(v.raw) <= maxExampleBytes:
		at.example = slices.Clone(v.raw)
	case kind == "string":
		text := v.text()
		at.example = quote(strings.ToValidUTF8(text[:min(len(text), maxExampleBytes/2)], "") + "…")
	}
}

func jsonType(v *value) string {
	switch v.kind() {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case '0':
		return "number"
	case 'n':
		return "null"
	default:
		return "boolean"
	}
}

// Properties lists the paths by root and then by name.
func (s *Shape) Properties() []Property {
	list := []Property{}
	for _, r := range []root{rootData, rootUserID, rootAnonymousID, rootMessageID, rootTimestamp, rootContext, rootRaw} {
		if s.roots[r] != nil {
			list = s.roots[r].appendTo(list, path{root: r}.String())
		}
	}
	return list
}

func (at *shape) appendTo(list []Property, way string) []Property {
	if at.events > 0 {
		list = append(list, Property{Path: way, Types: at.types, Events: at.events, Example: json.RawMessage(at.example)})
	}
	for _, name := range at.names() {
		list = at.members[name].appendTo(list, way+"."+escapeStep(name))
	}
	if at.element != nil {
		list = at.element.appendTo(list, way+"."+anyElement)
	}
	return list
}

func (at *shape) names() []string {
	names := make([]string, 0, len(at.members))
	for name := range at.members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
