package manifest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/millrace/millrace/schemas/typo"
)

// reading is one document being read. It goes on after a problem, so that all are found at once.
type reading struct {
	file     string
	subject  Problem // what the document is, for its problems
	fields   map[string]Position
	problems Problems
	nodes    int // that were made JSON
}

func (r *reading) position(node *yaml.Node) Position { return Position{r.file, node.Line, node.Column} }

func (r *reading) refuse(at Position, field, format string, args ...any) {
	problem := r.subject
	problem.At, problem.Field, problem.Message = at, field, fmt.Sprintf(format, args...)
	r.problems = append(r.problems, problem)
}

// refuseField is refuse at the place of the field's value.
func (r *reading) refuseField(field, format string, args ...any) {
	r.refuse(Origin{document: r.subject.At, fields: r.fields}.At(field), field, format, args...)
}

// object is a mapping whose members are asked for one by one. What nobody asked for is unknown: see end.
type object struct {
	*reading
	at      Position
	prefix  string // of its members' fields, such as "workflow_api."
	members map[string]*yaml.Node
	names   []*yaml.Node // in the order of the file
	asked   []string
}

// object reads a mapping; any other node is refused and reads as an empty one.
func (r *reading) object(node *yaml.Node, field string) *object {
	o := &object{reading: r, at: r.position(node), members: map[string]*yaml.Node{}}
	if field != "" {
		o.prefix = field + "."
	}
	node = unalias(node)
	if node.Kind != yaml.MappingNode {
		r.refuse(o.at, field, "must be a mapping of names to values")
		return o
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		at := r.position(name)
		switch first, twice := o.members[name.Value]; {
		case name.ShortTag() == "!!merge":
			r.refuse(at, field, "merging with << is not supported; write the members out, or name several environments")
		case name.Kind != yaml.ScalarNode:
			r.refuse(at, field, "a member's name must be text")
		case twice:
			r.refuse(at, o.prefix+name.Value, "is there twice, first in line %d", first.Line)
		default:
			o.members[name.Value], o.names = value, append(o.names, name)
			r.fields[o.prefix+name.Value] = r.position(value)
		}
	}
	return o
}

func unalias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// member returns a member's value, nil where there is none.
func (o *object) member(name string) *yaml.Node {
	o.asked = append(o.asked, name)
	if node, given := o.members[name]; given {
		return unalias(node)
	}
	return nil
}

// end refuses the members that were not asked for.
func (o *object) end() {
	for _, name := range o.names {
		if slices.Contains(o.asked, name.Value) {
			continue
		}
		hint := "; known are " + strings.Join(o.asked, ", ")
		if near := typo.Nearest(name.Value, o.asked); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		o.refuse(o.position(name), o.prefix+name.Value, "unknown member %q%s", name.Value, hint)
	}
}

// scalar returns a member of one of the types, which are YAML's tags.
func (o *object) scalar(name, wanted string, tags ...string) *yaml.Node {
	node := o.member(name)
	if node == nil || node.Kind == yaml.ScalarNode && slices.Contains(tags, node.ShortTag()) {
		return node
	}
	if node.ShortTag() == "!!null" {
		o.refuseField(o.prefix+name, "has no value; give one or leave the member out")
		return nil
	}
	o.refuseField(o.prefix+name, "must be %s", wanted)
	return nil
}

func (o *object) text(name string) string {
	if node := o.scalar(name, `text; put it in quotes`, "!!str"); node != nil {
		return node.Value
	}
	return ""
}

// choice is text that is one of two, or empty.
func choice[T ~string](o *object, name string, one, other T) T {
	text := T(o.text(name))
	if text != "" && text != one && text != other {
		o.refuseField(o.prefix+name, "%.40q is none; use %s or %s", text, one, other)
	}
	return text
}

// required is text that must be there.
func (o *object) required(name string) string {
	text := o.text(name)
	if _, given := o.members[name]; !given {
		o.refuse(o.at, o.prefix+name, "is missing")
	} else if text == "" && o.members[name].Value == "" {
		o.refuseField(o.prefix+name, "must not be empty")
	}
	return text
}

func (o *object) boolean(name string) (value bool) {
	if node := o.scalar(name, "true or false", "!!bool"); node != nil && node.Decode(&value) != nil {
		o.refuseField(o.prefix+name, "must be true or false")
	}
	return value
}

func (o *object) count(name string, limit int) (value int) {
	wanted := fmt.Sprintf("a whole number from 0 to %d", limit)
	node := o.scalar(name, wanted, "!!int")
	if node != nil && (node.Decode(&value) != nil || value < 0 || value > limit) {
		o.refuseField(o.prefix+name, "must be %s", wanted)
		return 0
	}
	return value
}

func (o *object) rate(name string) (value float64) {
	wanted := fmt.Sprintf("a number from 0 to %v", maxRateLimit)
	node := o.scalar(name, wanted, "!!int", "!!float")
	if node != nil && (node.Decode(&value) != nil || !(value >= 0 && value <= maxRateLimit)) { // NaN fails every comparison
		o.refuseField(o.prefix+name, "must be %s", wanted)
		return 0
	}
	return value
}

// list returns a list of texts.
func (o *object) list(name string) []string {
	node := o.member(name)
	if node == nil {
		return nil
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		o.refuseField(o.prefix+name, "must be a list of one or more names, such as [development, production]")
		return nil
	}
	var items []string
	for _, item := range node.Content {
		item = unalias(item)
		if item.Kind != yaml.ScalarNode || item.ShortTag() != "!!str" {
			o.refuse(o.position(item), o.prefix+name, "must be a list of names")
			continue
		}
		if slices.Contains(items, item.Value) {
			o.refuse(o.position(item), o.prefix+name, "%s is there twice", item.Value)
			continue
		}
		items = append(items, item.Value)
	}
	return items
}

// json returns a member of any type.
func (o *object) json(name string) json.RawMessage {
	node := o.member(name)
	if node == nil {
		return nil
	}
	value, err := toJSON(node, &o.nodes)
	if err != nil {
		o.refuseField(o.prefix+name, "%v", err)
		return nil
	}
	return value
}
